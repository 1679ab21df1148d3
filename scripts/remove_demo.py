"""Take the example application out, for those who build their own product on this project.

    python scripts/remove_demo.py [FOLDER]

Deletes stats/ with its templates, scripts, styles, documents and tests, the rehearsals that write
figures (deploy/chaos, deploy/hostile and their load) and what measures their list (bench); takes
the lines out of the other files that need them. Tests elsewhere that use it lose those functions;
the profile page takes the dashboard's place after signing in. Look at `git diff` afterwards.
"""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

FOLDERS_AND_FILES = (
    "stats",
    "templates/stats",
    "templates/admin/stats",
    "static/vendor/uplot-1.6.32",
    "static/js/stats-chart.js",
    "static/js/stats-filters.js",
    "static/css/stats.css",
    "static/css/stats-admin.css",
    "deploy/chaos",
    "deploy/hostile",
    "deploy/load",
    "bench",
    "docs/chaos.md",
    "docs/hostile.md",
    "docs/performance.md",
    "docs/performance.svg",
    "docs/stats.md",
    "tests/bench",
    "tests/production/test_chaos_checker.py",
    "tests/production/test_hostile_attacks.py",
    "tests/production/test_hostile_checker.py",
    "tests/stats",
    "tests/test_remove_demo.py",
    "scripts/remove_demo.py",
)
# Lines that go, by what stands in them; a file that has none of its lines any more is skipped.
LINES = {
    "sso_project/settings.py": [
        r'^    "stats",$',
        r'^    "import_export",$',
        r"^IMPORT_EXPORT_",
        r"^ +\"(/.*stats/|admin:stats_)",
    ],
    "sso_project/urls.py": [r'include\("stats\.'],
    "sso_project/dev/app.py": [r"seed_stats"],
    "requirements-runtime.txt": [r"^(django-import-export|diff-match|et_xmlfile|openpyxl|tablib)"],
    "Makefile": [
        r"^remove-demo:|scripts/remove_demo",
        r"^(chaos|hostile):|deploy\.(chaos|hostile)",
        r"^bench:|\.local/bench",
    ],
    "README.md": [r"make bench|^\| `bench/`", r"remove-demo", r"docs/stats\.md", r"`/dashboard/`"],
    "deploy/rehearsal/measure.py": [r'seed_stats|"/dashboard/"|"/api/stats"'],
    "docs/api.md": [r"^\| `/api/stats`"],
    "docs/architecture.md": [r"^\| example \||`bench/`", r"stats/api/question\.py"],
    "docs/scaling.md": [r"^\| (dashboard|`/api/stats`)"],
    ".dockerignore": [r"^!stats$"],
    "deploy/nginx.conf.template": [r"stats/bulk", r"# As LARGE_BODY_PATHS"],
    "CHANGELOG.md": [r"make bench|docs/performance|make hostile"],
}
_FETCH = ('"/api/stats"', '"/api/user"')
REPLACED = {
    "sso_project/settings.py": [("stats:dashboard", "accounts:profile"), ("stats(/.*)?|", "")],
    "Makefile": [(" remove-demo", ""), (" chaos hostile ", " "), (" bench ", " ")],
    "CHANGELOG.md": [(", `make chaos`", "")],
    "README.md": [
        (" `make chaos` (ten minutes of load while things break),", ""),
        ("`make hostile` (five minutes of attacks under load),\n", ""),
        ("`/api/user`, `/api/stats`,", "`/api/user`,"),
        ("  accounts/api/  stats/", "  accounts/api/"),
    ],
    "docs/operations.md": [("Refresh tokens rotate there with", "Refresh tokens rotate with")],
    "deploy/nginx.conf.template": [(" and `make chaos`", "")],
    "deploy/rehearsal/__init__.py": [(", `make chaos` and `make hostile`", "")],
    "docs/api.md": [("(`/user`, `/stats`,", "(`/user`,")],
    "docs/architecture.md": [("`stats`, ", "")],
    "docs/scaling.md": [(" for the figures of `stats`", "")],
    "docs/sessions.md": [
        ('stats = await api("/api/stats")', 'user = await api("/api/user")'),
        _FETCH,
    ],
    "static/js/session.js": [_FETCH],
    "infra/build-zip": [("accounts stats templates", "accounts templates")],
    "pyproject.toml": [
        ('"accounts", "stats", ', '"accounts", '),
        (', "bench"', ""),
        (', "django_cognito_jwt.*", "joserfc.*"', ""),
    ],
    "tests/test_layers.py": [('"stats", ', ""), (', "stats"', "")],
    "tests/test_input_cost.py": [
        ('"stats", ', ""),
        ("\nThe readers of figures are in tests/stats/test_input_cost.py.\n", ""),
    ],
    "tests/test_docs.py": [('"stats", ', "")],
    "tests/test_adopt.py": [('"import_export", "openpyxl", ', "")],
}
# Paragraphs that go, by how they begin.
PARAGRAPHS = {"docs/operations.md": ("`make chaos` runs", "`make hostile` attacks")}
# Of the demo, and not of the pool's resource server, whose scopes are called stats/… too.
_DEMO = re.compile(r"\bstats\b(?!/(read|write))|\bseed_stats\b|\bimport_stats\b|\bStat\b")
_LANDING = ("/dashboard/", "/profile/")
_TEST_LINK = re.compile(r"\[`(?:\w+::)?(\w+)`\]\(\.\./(tests/[\w/]+\.py)\)")


def main(root: Path) -> None:
    for name in FOLDERS_AND_FILES:
        path = root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for name, patterns in LINES.items():
        edit(root / name, lambda text, patterns=patterns: without_lines(text, patterns))
    for name, pairs in REPLACED.items():
        edit(root / name, lambda text, pairs=pairs: replaced(text, pairs))
    for name, start in PARAGRAPHS.items():
        edit(root / name, lambda text, start=start: without_paragraph(text, start))
    for file in sorted((root / "tests").rglob("*.py")):
        edit(file, without_demo)
    edit(root / "docs/security.md", lambda text: without_missing_tests(text, root))
    subprocess.run(  # what the functions that went had imported
        [sys.executable, "-m", "ruff", "check", "--quiet", "--fix", "--select", "F401,I", "tests"],
        cwd=root,
        check=False,
    )
    print("The example application is out. Look at `git diff`, then run `make check test`.")


def edit(file: Path, change: "object") -> None:
    if file.is_file():
        before = file.read_text(encoding="utf-8")
        after = change(before)  # type: ignore[operator]
        if after != before:
            file.write_text(after, encoding="utf-8")


def without_lines(text: str, patterns: list[str]) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not any(re.search(each, line) for each in patterns))


def without_paragraph(text: str, start: tuple[str, ...]) -> str:
    return "\n\n".join(each for each in text.split("\n\n") if not each.startswith(start))


def without_missing_tests(text: str, root: Path) -> str:
    """Return a Markdown text without the lines that link a test which is gone."""

    def is_there(name: str, file: str) -> bool:
        path = root / file
        return path.is_file() and f"def {name}(" in path.read_text(encoding="utf-8")

    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if all(is_there(*x) for x in _TEST_LINK.findall(line)))


def replaced(text: str, pairs: list[tuple[str, str]]) -> str:
    for old, new in pairs:
        text = text.replace(old, new)
    return text


def without_demo(source: str) -> str:
    """A test module without the functions that need the demo, and those that need these."""
    source = source.replace(*_LANDING)
    if not _DEMO.search(source):
        return source
    module = ast.parse(source)
    lines = source.splitlines(keepends=True)
    gone: set[str] = set()
    doomed: set[ast.stmt] = set()
    while True:
        found = {node for node in module.body if node not in doomed and needs(node, lines, gone)}
        if not found:
            break
        doomed |= found
        gone |= {name for node in found for name in names_of(node)}
    for node in sorted(doomed, key=lambda node: -first_line(node)):
        del lines[first_line(node) - 1 : node.end_lineno]
    return "".join(lines)


def needs(node: ast.stmt, lines: list[str], gone: set[str]) -> bool:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return False  # the module's docstring
    text = "".join(lines[first_line(node) - 1 : node.end_lineno])
    if _DEMO.search(text):
        return True
    used = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
    used |= {child.arg for child in ast.walk(node) if isinstance(child, ast.arg)}
    return bool(used & gone)


def names_of(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.Assign):
        return {target.id for target in node.targets if isinstance(target, ast.Name)}
    return set()


def first_line(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
