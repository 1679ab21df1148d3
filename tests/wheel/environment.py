"""An environment of Python with the wheel, its declared dependencies and nothing else."""

import re
import subprocess
import sys
import venv
import zipfile
from importlib import metadata

from packaging.requirements import Requirement

from tests.imports import ROOT

SITE = ROOT / "tests/wheel/small_site.py"


def build(folder):
    """Build the wheel with the packages that are installed here, without the network."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    [wheel] = folder.glob("*.whl")
    return wheel


def install(wheel, folder, *extras, also=()):
    """Return a Python into which pip has installed the wheel with these extras.

    `also` are further requirements, such as a library that the host project uses.

    The dependencies are those of this environment, linked one by one, so that the network is not
    needed. If the wheel does not declare one, or a version is out of its range, this fails.
    """
    venv.create(folder, symlinks=True)
    [packages] = folder.glob("lib/python*/site-packages")
    for distribution in dependencies(wheel, extras, also):
        for name in {file.parts[0] for file in distribution.files} - {"..", "__pycache__"}:
            (packages / name).symlink_to(distribution.locate_file(name))
    python = folder / "bin/python"
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--quiet",
         "--isolated", f"{wheel}[{','.join(extras)}]" if extras else wheel],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return python


def dependencies(wheel, extras, also=()):
    """Return the installed distributions that the wheel requires, directly or indirectly."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        text = archive.read(name).decode()
    lines = [*re.findall(r"^Requires-Dist: (.*)", text, re.M), *also]
    found, pending = {}, [(line, extras) for line in lines]
    while pending:
        line, wanted = pending.pop()
        requirement = Requirement(line)
        marker = requirement.marker
        if marker and not any(marker.evaluate({"extra": extra}) for extra in ("", *wanted)):
            continue
        distribution = metadata.distribution(requirement.name)
        key = (distribution.name, frozenset(requirement.extras))
        if key not in found:
            found[key] = distribution
            pending += [(line, requirement.extras) for line in distribution.requires or ()]
    return {name: distribution for (name, _), distribution in found.items()}.values()
