"""The imports of the project's files, from their syntax trees."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Import:
    """One import: the full name of the module, with the file and line."""

    file: str  # relative to the project, "accounts/signin/views.py"
    line: int
    module: str  # "accounts.cognito.errors", including the name in `from … import name`
    relative: bool

    def is_of(self, package: str) -> bool:
        return self.module == package or self.module.startswith(f"{package}.")

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def imports_of(*paths: str) -> list[Import]:
    """Return all imports in files and folders of the project, including those in functions."""
    imports = [item for path in paths for file in _files(ROOT / path) for item in _imports(file)]
    assert imports, f"{paths} have no imports, so a test of them would be vacuous"
    return imports


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _imports(file: Path) -> Iterator[Import]:
    name = file.relative_to(ROOT).as_posix()
    package = file.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), name)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(name, node.lineno, alias.name, relative=False)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            origin = [*above, *([node.module] if node.module else [])]
            for alias in node.names:
                yield Import(name, node.lineno, ".".join([*origin, alias.name]), node.level > 0)
