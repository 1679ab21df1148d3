"""The core of the suite on each supported version of Python and Django (`make test-versions`).

The core is everything that the wheel contains, and everything that depends on the versions of a
host project: the protocol, the app with its API, admin and commands, the test kit, host projects
with their user models and settings, new projects with the wheel, and the migrations. Browsers,
production servers, the local pool's pages, the example app and the documentation are left out: they
belong to this site, which pins its versions. `make test` runs them.

A version of Python that is not installed is skipped with a message. nox can let uv download it:
`make test-versions ARGS="--download-python auto"`. To select some, use `ARGS="--python 3.13"`, or
`ARGS="-s 'core(3.13, 6.1)' -- tests/cognito"`.
"""

import re
from pathlib import Path

import nox

SUPPORTED = {
    "5.2": ("3.11", "3.12", "3.13", "3.14"),
    "6.0": ("3.12", "3.13", "3.14"),
    "6.1": ("3.12", "3.13", "3.14"),
}
CORE = (
    *("tests/cognito", "tests/accounts", "tests/adoption", "tests/wheel", "tests/test_adopt.py"),
    "tests/test_migrations.py",
)
# Replaced by the version of the session, or only needed for `make check` and `make docs`.
LEFT_OUT = re.compile(r"(django|django-stubs.*|djangorestframework-stubs|mypy|ruff|mkdocs.*)[=\[]")

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.envdir = ".local/nox"
nox.options.reuse_venv = "yes"
nox.options.stop_on_first_error = False


@nox.session
@nox.parametrize(
    ("python", "django"),
    [(python, django) for django, pythons in SUPPORTED.items() for python in pythons],
    ids=[f"{python}, {django}" for django, pythons in SUPPORTED.items() for python in pythons],
)
def core(session: nox.Session, django: str) -> None:
    """Run the core of the suite."""
    lines = [
        line
        for path in sorted(Path().glob("requirements*.txt"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if "==" in line and not LEFT_OUT.match(line)
    ]
    # session.create_tmp() would make a folder of this checkout the one for temporary files, and
    # pytest would take the projects that tests create there for a part of this project.
    pinned = Path(session.virtualenv.location) / "requirements.txt"
    pinned.write_text("\n".join([*lines, f"django~={django}.0"]), encoding="utf-8")
    session.install("--requirement", str(pinned), "pip")
    # Only this site has django-import-export, which does not support Django 6.1 yet.
    session.run("python", "-m", "pytest", "-W", "ignore:Overriding get_actions",
                "-n", "auto", "--dist", "loadgroup", *(session.posargs or CORE))  # fmt: skip
