"""docs/first-app.md and the first section of docs/protect.md, followed in a copy of the project."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import tomllib

import pytest

from tests import image_files
from tests.imports import ROOT

PAGE = (ROOT / "docs/first-app.md").read_text(encoding="utf-8")
PROTECT = (ROOT / "docs/protect.md").read_text(encoding="utf-8").partition("\n## Pages")[0]
ADD, REMOVE = PAGE.split("## Remove the example application")
REQUEST = """
import django
django.setup()
from django.core.management import call_command
from django.test import Client
call_command("migrate", verbosity=0)
client = Client(headers={"host": "app.example.com", "x-forwarded-proto": "https"})
api = client.get("/api/invoices", secure=True)
page = client.get("/invoices/", secure=True)
print(api.status_code, api.json()["code"], page.status_code, page["Location"])
"""


COMMANDS = {".venv/bin/python", "make", "rm", "sed", "touch", ":"}


def assert_stays_in_the_clone(code):
    """The page's commands run on this machine, so they may name relative paths below it only."""
    for line in code.replace("\\\n", " ").splitlines():
        command, *words = shlex.split(line)
        assert command in COMMANDS, line
        assert not [word for word in words if word.startswith(("/", "~")) or ".." in word], line


class Clone:
    """A copy of the project's files, in which the steps of the page are done."""

    def __init__(self, folder, environ):
        self.folder = folder
        self.environ = {**environ, "ENV_FILE": os.devnull}
        names = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        for name in names.stdout.splitlines():
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        (folder / ".venv/bin").mkdir(parents=True)
        (folder / ".venv/bin/python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        (folder / ".venv/bin/python").chmod(0o755)
        (folder / ".venv/installed").touch()

    def run(self, *command, **environment):
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environ, **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def follow(self, text):
        """Run each shell block, and write each other block to the file that is named before it."""
        steps = re.findall(r"((?:^(?! *```)[^\n]*\n)+)^ *```(\w+)\n(.*?)^ *```$", text, re.M | re.S)
        assert len(steps) == len(re.findall(r"^ *```\w+$", text, re.M))
        for before, language, block in steps:
            code = textwrap.dedent(block)
            if language == "sh":
                assert_stays_in_the_clone(code)
                self.run("sh", "-ec", code)
                continue
            name = re.findall(r"`([\w/.]+\.(?:py|html))`", before)[-1]
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(code)


@pytest.fixture
def clone(tmp_path, clean_environ):
    return Clone(tmp_path / "clone", clean_environ)


def request_in_the_image(clone, folder):
    """Return the responses of the site that the Dockerfile's steps leave."""
    app = image_files.build(clone.folder, folder)
    return subprocess.run(
        [sys.executable, "-c", REQUEST],
        cwd=app,
        env={
            **clone.environ,
            "DJANGO_SETTINGS_MODULE": "sso_project.settings",
            "SECRET_KEY": "tests-only-secret-key-that-signs-nothing-of-worth-0123456789",
            "PUBLIC_URL": "https://app.example.com",
            "TOKEN_ENCRYPTION_KEYS": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "COGNITO_POOL_ID": "eu-west-1_AbCdEf123",
            "COGNITO_CLIENT_ID": "1example23456789",
            "COGNITO_CLIENT_SECRET": "never-used-here",
            "COGNITO_CLIENT_DOMAIN": "my-team",
            "DATABASE_URL": f"sqlite:///{folder}/site.sqlite3",
        },
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_protected_views_pass_their_tests(clone):
    clone.follow(PROTECT)
    assert "3 passed" in clone.run(sys.executable, "-m", "pytest", "-q", "reports")
    code = "".join(file.read_text() for file in (clone.folder / "reports").glob("*.py"))
    lines = [line for line in code.splitlines() if line.strip()]
    quickstart = (ROOT / "docs/quickstart.md").read_text(encoding="utf-8")
    assert f"{len(lines)} lines in 3 files" in quickstart
    clone.run(sys.executable, "manage.py", "dev", "version", SECRET_KEY="x" * 50)
    assert (clone.folder / ".local").is_dir()  # where `dev` writes the number of its process
    clone.run(sys.executable, "-m", "ruff", "check", "--quiet", "reports")
    clone.run(sys.executable, "-m", "ruff", "format", "--check", "--quiet", "reports")


def test_own_application_is_found_and_the_example_leaves_nothing(clone, tmp_path):
    settings = ("--settings", "tests.settings")
    clone.follow(ADD)
    clone.run(sys.executable, "manage.py", "makemigrations", "--check", "--dry-run", *settings)
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    of_applications = " ".join(path for path in options["testpaths"] if path != "tests")
    collect = ("-m", "pytest", "-q", "--collect-only", "-o", f"testpaths={of_applications}")
    collected = clone.run(sys.executable, *collect)
    assert "invoices/tests.py" in collected

    clone.follow(REMOVE.replace("   make check test\n", "   :\n"))
    clone.run(sys.executable, "manage.py", "makemigrations", "--check", "--dry-run", *settings)
    clone.run(sys.executable, "-m", "ruff", "check", "--quiet")
    clone.run(sys.executable, "-m", "ruff", "format", "--check", "--quiet")
    assert "2 passed" in clone.run(sys.executable, "-m", "pytest", "-q")
    targets = clone.run("make", "help")
    assert {"chaos", "hostile", "bench"} & set(targets.split()) == set()
    left = [
        f"{file.relative_to(clone.folder)}: {line.strip()}"
        for folder in ("sso_project", "deploy", "tools", "infra")
        for file in (clone.folder / folder).rglob("*.*")
        if file.suffix in (".py", ".template", ".yml")
        for line in file.read_text().splitlines()
        if re.search(r"(import|include|app|[\"'(])\W*stats\b", line)
    ]
    assert left == []
    done = request_in_the_image(clone, tmp_path / "image")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:3] == ["401", "not_authenticated", "302"]
