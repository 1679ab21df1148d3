"""Commands on a database that is not ready: one sentence and exit status 1, for each command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMMANDS = [
    ["cognito_erase_user", "ada"],
    ["cognito_explain_sign_in", "7c1e22aa"],
    ["cognito_export_user", "ada"],
    ["cognito_housekeeping"],
    ["cognito_link_users", "--set-aside"],
    ["cognito_reencrypt_tokens"],
    ["cognito_sign_out_user", "ada"],
    ["seed_stats"],
    ["createsuperuser", "--no-input", "--username", "ada", "--email", "ada@example.com"],
]
# All commands in one process, as `manage.py` runs them.
SCRIPT = """
import contextlib, io, json, sys
import manage
results = {}
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["manage.py", *arguments]
    errors = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
        try:
            manage.main()
            code = 0
        except SystemExit as exit:
            code = exit.code
    if isinstance(code, str):  # Python prints it, and exits with 1
        code, errors = 1, io.StringIO(code)
    results[arguments[0]] = code, errors.getvalue()
print(json.dumps(results))
"""


def run_all(database_url, **variables):
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": database_url,
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(COMMANDS)],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("database_url", "sentence"),
    [
        ("postgres://site@127.0.0.1:1/none", "The database does not respond"),
        ("sqlite:///{folder}/new.sqlite3", "The database is not migrated"),
    ],
    ids=["unavailable", "not-migrated"],
)
def test_command_says_what_is_wrong_with_the_database(tmp_path, database_url, sentence):
    for command, (code, output) in run_all(database_url.format(folder=tmp_path)).items():
        assert code == 1, (command, output)
        assert sentence in output, (command, output)
        assert "Traceback" not in output, (command, output)
        assert len(output.strip().splitlines()) == 1, (command, output)
