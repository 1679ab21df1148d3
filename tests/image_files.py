"""The files of the image: .dockerignore and deploy/copy_packages, without a container engine."""

import shutil
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path

from tests.imports import ROOT


def is_ignored(path: str, patterns: list[str]) -> bool:
    """Return True if the last pattern that matches `path` or a folder above it excludes it.

    https://docs.docker.com/build/concepts/context/#dockerignore-files
    """
    parents = ["/".join(path.split("/")[: depth + 1]) for depth in range(path.count("/") + 1)]
    ignored = False
    for pattern in patterns:
        glob = pattern.removeprefix("!")
        if any(_matches(parent, glob) for parent in parents):
            ignored = not pattern.startswith("!")
    return ignored


def _matches(path: str, glob: str) -> bool:
    if glob.startswith("**/"):
        return any(
            _matches(path.split("/", skip)[-1], glob[3:]) for skip in range(path.count("/") + 1)
        )
    return path.count("/") == glob.count("/") and fnmatchcase(path, glob)


def copy_context(project: Path, target: Path) -> None:
    """Copy what a build of `project` sends to the engine."""
    lines = (project / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    hidden = [file for file in project.iterdir() if file.name.startswith(".")]
    assert all(is_ignored(file.name, patterns) for file in hidden)
    for file in project.rglob("[!.]*"):
        name = file.relative_to(project).as_posix()
        if file.is_file() and not name.startswith(".") and not is_ignored(name, patterns):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target / name)


def build(project: Path, folder: Path) -> Path:
    """Copy what the Dockerfile copies to /app, and return the folder.

    This runs the script that the Dockerfile runs, never a step of the Dockerfile: its other steps
    change the machine.
    """
    source, app = folder / "source", folder / "app"
    source.mkdir(parents=True)
    app.mkdir()
    copy_context(project, source)
    subprocess.run(["sh", ROOT / "deploy/copy_packages", source, app], check=True)
    return app
