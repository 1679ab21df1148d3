"""The wheel, installed into an environment of its own, and new projects there."""

import pytest

from . import environment
from .project import NewProject


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    return environment.build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def python(wheel, tmp_path_factory):
    """A Python with the wheel, and the extras that docs/install.md uses."""
    return environment.install(wheel, tmp_path_factory.mktemp("venv"), "local-pool", "testing")


@pytest.fixture(scope="module")
def project(python, tmp_path_factory):
    """A new project that is set up as docs/install.md says, without its servers."""
    return NewProject(python, tmp_path_factory.mktemp("site"))
