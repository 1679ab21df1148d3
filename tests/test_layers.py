"""The rules of docs/architecture.md about imports."""

import re
import subprocess
import sys
from collections import defaultdict
from graphlib import TopologicalSorter

import pytest

from tests.imports import ROOT, Import, imports_of

LAYERS = (
    ("cognito", "core"),
    ("provider", "models"),
    ("problems", "audit"),
    ("tokens", "users"),
    ("sessions",),
    ("signin", "privacy"),
    ("directory",),
    ("api", "doctor"),
    ("admin_site", "management", "templatetags", "testing"),
)
DOORS = {
    *("__init__", "admin", "admin_app", "apps", "authentication", "backends", "checks"),
    *("async_middleware", "conf", "connections", "decorators", "linking", "middleware", "ninja"),
    *("permissions", "signals", "urls", "user_tokens"),
}
RANK = {package: rank for rank, layer in enumerate(LAYERS) for package in layer}
WITH_REST_FRAMEWORK = ("accounts/api/", "accounts/testing/clients.py", "accounts/authentication.py")

RUN_COMMANDS = ("sso_project/dev/", "sso_project/management/commands/dev.py")


def breaches(imports: list[Import], *packages: str) -> list[str]:
    return [str(item) for item in imports if any(item.is_of(package) for package in packages)]


def test_protocol_layer_does_not_load_django():
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


def test_protocol_layer_does_not_import_other_layers():
    external = [
        item for item in imports_of("accounts/cognito") if not item.is_of("accounts.cognito")
    ]
    assert breaches(external, "accounts", "stats", "sso_project", "local_pool", "django") == []


def test_only_the_verifier_imports_the_jwt_library():
    remaining = [
        item for item in imports_of("accounts/cognito") if not item.file.endswith("/verifier.py")
    ]
    assert breaches(remaining, "jwt") == []


def test_only_the_transport_opens_sockets():
    """transport_errors.py imports errors of these libraries, to translate them."""
    remaining = [item for item in imports_of("accounts/cognito") if "/transport" not in item.file]
    sockets = ("requests", "urllib3", "socket", "http.client", "urllib.request", "ssl")
    assert breaches(remaining, *sockets) == []


def test_stats_does_not_import_the_protocol_layer():
    assert breaches(imports_of("stats"), "accounts.cognito") == []


def test_stats_does_not_import_the_project():
    assert breaches(imports_of("stats"), "sso_project") == []


def test_json_sql_imports_only_django():
    imports = imports_of("stats/api/json_sql.py")
    assert breaches(imports, "sso_project", "accounts", "stats", "rest_framework") == []


def test_only_run_commands_and_tests_import_the_local_pool():
    remaining = [
        item
        for item in imports_of("manage.py", "sso_project", "accounts", "stats")
        if not item.file.startswith(RUN_COMMANDS)
    ]
    assert breaches(remaining, "local_pool") == []


def test_local_pool_does_not_import_the_app():
    assert breaches(imports_of("local_pool"), "accounts", "stats", "sso_project") == []


def test_accounts_imports_itself_relatively():
    """A host project can give the folder another name."""
    absolute = [item for item in imports_of("accounts") if not item.relative]
    assert breaches(absolute, "accounts", "sso_project", "stats") == []


def test_accounts_does_not_import_the_rest_of_the_project():
    assert breaches(imports_of("accounts"), "sso_project", "stats", "local_pool") == []


def test_only_the_provider_reads_the_cognito_settings():
    pattern = re.compile(r"""settings\.COGNITO\b|settings\b.*["']COGNITO["']""")
    readers = {
        path.relative_to(ROOT).as_posix()
        for folder in ("accounts", "stats", "sso_project")
        for path in (ROOT / folder).rglob("*.py")
        if pattern.search(path.read_text(encoding="utf-8"))
    }
    assert readers == {"accounts/provider/members.py"}


@pytest.mark.parametrize("folder", ["accounts", "stats", "sso_project", "local_pool"])
def test_shipped_code_does_not_import_tests_or_tools(folder):
    assert breaches(imports_of(folder), "tests", "tools") == []


def test_only_tests_import_the_test_kit():
    """Servers have no pytest."""
    remaining = [
        item
        for item in imports_of("manage.py", "sso_project", "accounts", "stats")
        if not item.file.startswith("accounts/testing/")
    ]
    assert breaches(remaining, "accounts.testing", "pytest") == []


def test_root_of_accounts_holds_only_doors_and_packages():
    root = ROOT / "accounts"
    assert {file.stem for file in root.glob("*.py")} == DOORS
    assert {file.parent.name for file in root.glob("*/__init__.py")} == {*RANK, "migrations"}


def test_packages_of_accounts_import_only_lower_layers():
    violations = []
    for item in imports_of("accounts"):
        source, target = item.file.split("/")[1], [*item.module.split("."), ""][1]
        if not item.relative or source not in RANK or target == source:
            continue
        if (source, target) == ("audit", "signals"):
            continue
        if RANK.get(target, len(LAYERS)) >= RANK[source]:
            violations.append(str(item))
    assert violations == []


def test_transactions_and_times_follow_the_settings_of_the_host():
    """A router may name another database than `default`, and USE_TZ may be False."""
    forbidden = re.compile(
        r"transaction\.atomic\(\)|timezone\.localtime\(|import connection$", re.M
    )
    files = [path for path in (ROOT / "accounts").rglob("*.py") if path.name != "times.py"]
    found = [path.name for path in files if forbidden.search(path.read_text(encoding="utf-8"))]
    assert found == []  # core.db.atomic(model), core.times.local_time(…)


def test_only_three_packages_of_accounts_export_names():
    """An import in the others would load more than their importer uses, or load it too early."""
    exporting = {
        item.file.split("/")[1]
        for item in imports_of("accounts")
        if item.file.endswith("/__init__.py")
    }
    assert exporting == {"models", "provider", "testing"}


def test_rest_framework_is_imported_only_by_the_api_and_the_test_kit():
    remaining = [
        item for item in imports_of("accounts") if not item.file.startswith(WITH_REST_FRAMEWORK)
    ]
    assert breaches(remaining, "rest_framework") == []


@pytest.mark.parametrize("folder", ["accounts", "stats", "sso_project", "local_pool", "tools"])
def test_modules_do_not_import_each_other_in_a_circle(folder):
    """Imports in functions and for types only count too."""
    modules = {
        file.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
        for file in (ROOT / folder).rglob("*.py")
    }
    graph = defaultdict(set)
    for item in imports_of(folder):
        source = item.file.removesuffix(".py").replace("/", ".")
        target = item.module
        while target and target not in modules and f"{target}.__init__" not in modules:
            target = target.rpartition(".")[0]
        target = target if target in modules else f"{target}.__init__"
        if target in modules and target != source:
            graph[source].add(target)
    TopologicalSorter(graph).prepare()  # raises CycleError with the circle
