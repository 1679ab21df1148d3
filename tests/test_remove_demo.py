"""`make remove-demo` on a copy: what is left knows nothing of the demo, starts, and passes.

Here the quick part of the suite runs there; the whole of it takes minutes.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.imports import ROOT

QUICK = [
    "tests/accounts/test_groups.py",
    "tests/flows/test_sign_in.py",
    "tests/sso_project/test_api_docs.py",
    "tests/sso_project/test_middleware.py",
    "tests/test_design.py",
    "tests/test_layers.py",
    "tests/test_docs.py",
    "tests/test_security_docs.py",
]


def run(*command, cwd, **variables):
    ours = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    done = subprocess.run(
        command, cwd=cwd, env=ours | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (
        f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
    )
    return done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    root = tmp_path_factory.mktemp("copy") / "project"
    left_behind = (".git", ".venv", ".local", ".env", ".*_cache", ".hypothesis")
    ignored = shutil.ignore_patterns(*left_behind, "__pycache__", "test-results", "staticfiles")
    shutil.copytree(ROOT, root, ignore=ignored)
    run(sys.executable, "scripts/remove_demo.py", cwd=root)
    return root


def test_nothing_of_the_demo_is_left(copy):
    assert not (copy / "stats").exists()
    for folder in ("accounts", "sso_project", "tests"):
        for file in (copy / folder).rglob("*.py"):
            text = file.read_text()
            assert "from stats" not in text, file
            assert "import_export" not in text, file


def test_no_document_or_script_names_what_is_gone(copy):
    names = re.compile(
        r"/api/stats|/dashboard/|seed_stats|import_stats|docs/stats|remove.demo|chaos|make hostile|"
        r"make bench|docs/performance|"
        r"(?<!stats:)\bstats (as|templates)\b|accounts/api/  stats/|`stats`"
    )
    left = {
        (str(file.relative_to(copy)), found.group())
        for folder in (".", "docs", "deploy", "infra", "sso_project", "accounts", "static/js")
        for file in ((copy / folder).rglob("*") if folder != "." else copy.glob("*"))
        if file.is_file() and file.name != "CHANGELOG.md" and file.suffix not in (".png", ".pyc")
        for found in names.finditer(file.read_text(errors="replace"))
    }
    assert left == set()


def test_what_is_left_is_in_order(copy):
    manage, settings = [sys.executable, "manage.py"], {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    run(*manage, "check", cwd=copy, **settings)
    run(*manage, "makemigrations", "--check", "--dry-run", cwd=copy, **settings)
    run(sys.executable, "-m", "ruff", "check", "--select", "F", "tests", "sso_project", cwd=copy)
    run(sys.executable, "-m", "pytest", "--collect-only", "-q", cwd=copy)


def test_the_rest_of_the_suite_stays_green(copy):
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not browser", "-p", "no:cacheprovider"]
    run(*command, *QUICK, cwd=copy)
