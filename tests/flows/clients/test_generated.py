"""The calls of docs/api-clients.md, with clients that are generated from the document."""

import re
import shutil
import subprocess

import pytest

from stats.models import Stat
from tests.flows.clients.conftest import BIN
from tests.flows.conftest import TOOLS
from tests.imports import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clients]
TASKS = (ROOT / "docs/api-clients.md").read_text(encoding="utf-8").split("## Sign in", 1)[1]


def program(language):
    """Return the code blocks of the tasks in one language, as one program."""
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", TASKS, re.MULTILINE | re.DOTALL))


@pytest.fixture
def run(tmp_path, environment):
    def run(*command):
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def stored(kpi):
    return [(stat.period, stat.value) for stat in Stat.objects.filter(kpi=kpi).order_by("period")]


def test_calls_with_curl(run):
    output = run("bash", "-euo", "pipefail", "-c", program("sh"))
    assert '"userName":"ada"' in output
    assert '"code":"invalid"' in output
    assert stored("curl") == [("202601", 1300), ("202602", 1)]


def test_calls_with_a_python_client(run, site, tmp_path):
    url = f"{site}/openapi.json"
    generated = run(
        "openapi-python-client", "generate", "--url", url, "--meta", "none", "--output-path",
        "ledger", "--fail-on-warning",
    )  # fmt: skip
    assert "removed" not in generated
    (tmp_path / "tasks.py").write_text(program("python"), encoding="utf-8")
    output = run(BIN / "python", "tasks.py").splitlines()
    assert output[0] == "ada"
    assert output[1].startswith('202601 "')
    assert output[2:] == [
        "1300.0",
        "2",
        "3",
        "['202601', '202602', '202603']",
        "invalid {'month': ['Enter a month from 1 to 12.']}",
    ]
    assert stored("python") == [("202601", 1300), ("202602", 2), ("202603", 3)]


def test_calls_with_a_typescript_client(run, site, tmp_path):
    (tmp_path / "node_modules").symlink_to(TOOLS / "node_modules")
    shutil.copy(TOOLS / "package.json", tmp_path)
    run("npx", "--no-install", "openapi-typescript", f"{site}/openapi.json", "-o", "ledger.d.ts")
    (tmp_path / "tasks.ts").write_text(program("ts"), encoding="utf-8")
    run(
        "npx", "--no-install", "tsc", "--strict", "--target", "es2022", "--module", "nodenext",
        "tasks.ts",
    )  # fmt: skip
    output = run("node", "tasks.js").splitlines()
    assert output[0] == "ada"
    assert output[1].startswith('202601 "')
    assert output[2:6] == ["1300", "2", "3", "202601,202602,202603"]
    assert output[6].startswith("invalid { month: [ 'Enter a month from 1 to 12.' ]")
    assert stored("typescript") == [("202601", 1300), ("202602", 2), ("202603", 3)]
