"""The table of the README: its modules, its line counts, and what imports a web framework."""

import re
import subprocess
import sys
from pathlib import Path

import local_pool
from tests.imports import imports_of

FOLDER = Path(local_pool.__file__).parent
ROW = re.compile(r"\| (.+?) \| (`.+`) \| (\d+) \|")
TOLERANCE = 0.1
WITH_FLASK = (
    *("server", "hosted_sign_in", "hosted_ui", "pages", "provider", "console"),
    *("oauth", "discovery", "registration", "api", "api_import"),
)


def areas() -> list[tuple[str, list[str], int]]:
    rows = ROW.findall((FOLDER / "README.md").read_text())
    return [(area, re.findall(r"`(\w+)`", names), int(lines)) for area, names, lines in rows]


def size(module: str) -> int:
    return len((FOLDER / f"{module}.py").read_text().splitlines())


def test_table_has_each_module_once():
    names = [name for _, names, _ in areas() for name in names]
    assert sorted(names) == sorted(file.stem for file in FOLDER.glob("*.py"))


def test_line_counts_are_about_right():
    for area, names, lines in areas():
        actual = sum(map(size, names))
        assert abs(lines - actual) <= TOLERANCE * actual, (area, actual)
    [total] = re.findall(r"\| total \| \| (\d+) \|", (FOLDER / "README.md").read_text())
    actual = sum(size(file.stem) for file in FOLDER.glob("*.py"))
    assert abs(int(total) - actual) <= TOLERANCE * actual, actual


def test_modules_are_short():
    assert {f.stem: size(f.stem) for f in FOLDER.glob("*.py") if size(f.stem) > 260} == {}


def test_only_the_http_side_imports_flask():
    users = {
        Path(item.file).stem
        for item in imports_of("local_pool")
        if item.module.split(".")[0] in ("flask", "werkzeug")
    }
    assert users == {*WITH_FLASK}


def test_state_machine_runs_without_a_web_framework():
    program = (
        "import sys\n"
        "sys.modules.update(flask=None, werkzeug=None, django=None)\n"
        "import tempfile; from pathlib import Path\n"
        "from local_pool import grants, seeding, sign_in_flows, users\n"
        "from local_pool.config import load_config\n"
        "from local_pool.pool import Pool\n"
        "from local_pool.sign_in_steps import Request\n"
        "from local_pool.store import Store\n"
        "config = load_config({})\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    pool = Pool(config, Store(Path(folder)))\n"
        "    seeding.seed(pool)\n"
        "    client = pool.clients[config.public_client_id]\n"
        "    sent = {'USERNAME': 'ada', 'PASSWORD': 'Cognito-demo-1'}\n"
        "    step = sign_in_flows.initiate(pool, 'USER_PASSWORD_AUTH', Request(client, sent))\n"
        "    assert step.tokens['access_token']\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=FOLDER.parent)
