"""The rules of docs/architecture.md about who may import whom."""

import re
import subprocess
import sys

import pytest

from tests.imports import ROOT, Import, imports_of

RUN_COMMANDS = ("sso_project/dev/", "sso_project/management/commands/dev.py")


def breaches(imports: list[Import], *packages: str) -> list[str]:
    return [str(item) for item in imports if any(item.is_of(package) for package in packages)]


def test_protocol_layer_loads_no_django():
    modules = [
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
        for path in sorted((ROOT / "accounts/cognito").glob("*.py"))
    ]
    code = (
        "import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module(name.removesuffix('.__init__'))\n"
        "print([name for name in sys.modules if name.partition('.')[0] in"
        " ('django', 'rest_framework', 'mozilla_django_oidc', 'environ')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_protocol_layer_imports_nothing_of_the_layers_above():
    own = [item for item in imports_of("accounts/cognito") if not item.is_of("accounts.cognito")]
    assert breaches(own, "accounts", "stats", "sso_project", "local_pool", "django") == []


def test_only_the_verifier_imports_the_jwt_library():
    others = [
        item for item in imports_of("accounts/cognito") if not item.file.endswith("/verifier.py")
    ]
    assert breaches(others, "jwt") == []


def test_only_the_transport_opens_sockets():
    """Its neighbour transport_errors.py names the libraries' errors to translate them."""
    others = [item for item in imports_of("accounts/cognito") if "/transport" not in item.file]
    sockets = ("requests", "urllib3", "socket", "http.client", "urllib.request", "ssl")
    assert breaches(others, *sockets) == []


def test_stats_knows_nothing_of_the_protocol():
    assert breaches(imports_of("stats"), "accounts.cognito") == []


def test_stats_takes_one_tool_of_the_project():
    taken = {item.module for item in imports_of("stats") if item.is_of("sso_project")}
    assert {module.rpartition(".")[0] for module in taken} == {"stats.api.json_sql"}


def test_direct_json_knows_django_alone():
    own = imports_of("stats/api/json_sql.py")
    assert breaches(own, "sso_project", "accounts", "stats", "rest_framework") == []


def test_only_run_commands_and_tests_import_the_local_pool():
    others = [
        item
        for item in imports_of("manage.py", "sso_project", "accounts", "stats")
        if not item.file.startswith(RUN_COMMANDS)
    ]
    assert breaches(others, "local_pool") == []


def test_local_pool_shares_no_code_with_the_app():
    assert breaches(imports_of("local_pool"), "accounts", "stats", "sso_project") == []


def test_accounts_imports_itself_relatively():
    """So that a project that adopts the folder can give it another name."""
    absolute = [item for item in imports_of("accounts") if not item.relative]
    assert breaches(absolute, "accounts", "sso_project", "stats") == []


def test_accounts_depends_on_no_other_part_of_the_project():
    assert breaches(imports_of("accounts"), "sso_project", "stats", "local_pool") == []


def test_only_the_provider_reads_the_cognito_settings():
    reading = re.compile(r"""settings\.COGNITO\b|settings\b.*["']COGNITO["']""")
    readers = {
        path.relative_to(ROOT).as_posix()
        for folder in ("accounts", "stats", "sso_project")
        for path in (ROOT / folder).rglob("*.py")
        if reading.search(path.read_text(encoding="utf-8"))
    }
    assert readers == {"accounts/provider/factory.py"}


@pytest.mark.parametrize("folder", ["accounts", "stats", "sso_project", "local_pool"])
def test_nothing_we_ship_imports_what_tests_and_measures_it(folder):
    assert breaches(imports_of(folder), "tests", "tools") == []


def test_only_tests_import_the_kit():
    """A server needs neither it nor pytest."""
    others = [
        item
        for item in imports_of("manage.py", "sso_project", "accounts", "stats")
        if not item.file.startswith("accounts/testing/")
    ]
    assert breaches(others, "accounts.testing", "pytest") == []
