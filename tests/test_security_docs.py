"""The files, tests, cookies and published flaws in docs/security.md exist."""

import ast
import re
from collections.abc import Iterator

import pytest
from django.conf import settings

from sso_project.message_storage import HostCookieStorage
from tests.imports import ROOT

PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
TEST_LINK = re.compile(r"\[`([^`]+)`\]\(\.\./(tests/[\w/]+\.py)\)")
FLAW = re.compile(r"\bCVE-\d{4}-\d{4,}|\bGHSA(?:-[\w]{4}){3}")
PACKAGES = sorted(file.parent for file in ROOT.glob("*/apps.py"))


def table_lines(first_heading: str) -> list[list[str]]:
    """Return the cells of each line of the tables whose first heading is `first_heading`."""
    tables = PAGE.split(f"\n| {first_heading} |")[1:]
    lines = [line for table in tables for line in table.split("\n\n")[0].splitlines()[2:]]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def names_of_tests(file: str) -> set[str]:
    """Return the names of the tests in a file: `test_a` and `TestB::test_c`, without parameters."""
    path = ROOT / file
    body = ast.parse(path.read_text(encoding="utf-8")).body if path.is_file() else []
    names = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            methods = [item.name for item in node.body if isinstance(item, ast.FunctionDef)]
            names |= {f"{node.name}::{name}" for name in methods}
    return {name for name in names if name.split("::")[-1].startswith("test_")}


def missing_tests(text: str) -> list[str]:
    """Return the links of `text` to tests that do not exist."""
    links = TEST_LINK.findall(text)
    return [f"{file}::{name}" for name, file in links if name not in names_of_tests(file)]


def test_linked_tests_exist():
    assert missing_tests(PAGE) == []


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("test_of_no_one", "tests/test_docs.py"),
        ("test_linked_tests_exist", "tests/test_docs.py"),
        ("test_linked_tests_exist", "tests/test_none.py"),
        ("TestNone::test_linked_tests_exist", "tests/test_security_docs.py"),
        ("test_missing_test_is_detected[none]", "tests/test_security_docs.py"),
        ("table_lines", "tests/test_security_docs.py"),
    ],
)
def test_missing_test_is_detected(name, file):
    assert missing_tests(f"[`{name}`](../{file})") == [f"{file}::{name}"]


@pytest.mark.parametrize("cells", table_lines("threat"), ids=lambda cells: cells[0][:60])
def test_each_threat_has_a_file_and_a_test(cells):
    _, control, files, tests = cells
    names = re.findall(r"`([^`]+)`", files)
    assert control
    assert names
    assert [name for name in names if not (ROOT / name).is_file()] == []
    assert TEST_LINK.search(tests)


@pytest.mark.parametrize("cells", table_lines("flaw"), ids=lambda cells: cells[0][:60])
def test_each_flaw_has_a_test(cells):
    assert TEST_LINK.search(cells[-1])


def test_every_flaw_named_in_the_code_is_on_the_page():
    flaws = set()
    for folder in (*PACKAGES, ROOT / "tests"):
        for file in folder.rglob("*.py"):
            flaws |= set(FLAW.findall(file.read_text(encoding="utf-8")))
    assert len(flaws) > 20
    assert flaws - set(FLAW.findall(PAGE)) == set()


def cookie_calls() -> Iterator[tuple[ast.Module, ast.Call]]:
    for package in PACKAGES:
        for file in package.rglob("*.py"):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                if is_call and node.func.attr in ("set_cookie", "set_signed_cookie"):
                    yield tree, node


def texts(node: ast.expr, tree: ast.Module) -> set[str]:
    """Return the constants of the module that the name of a cookie begins with."""
    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.BinOp(left=left):
            return texts(left, tree)
        case ast.Call(func=ast.Name(id="cookie_name"), args=[name]):
            return texts(name, tree)
        case ast.Call(func=ast.Name(id=name)):
            functions = [f for f in tree.body if isinstance(f, ast.FunctionDef) and f.name == name]
            values = [r.value for f in functions for r in ast.walk(f) if isinstance(r, ast.Return)]
        case ast.Name(id=name):
            values = [
                assignment.value
                for assignment in ast.walk(tree)
                if isinstance(assignment, ast.Assign)
                and any(isinstance(t, ast.Name) and t.id == name for t in assignment.targets)
            ]
        case _:
            values = []
    return {text for value in values for text in texts(value, tree)}


def plain(name: str) -> str:
    return name.removeprefix("__Host-")


def documented_cookies() -> dict[str, str]:
    """Return the flags of each documented cookie by the beginning of its name."""
    return {cells[0].strip("`").rstrip("…"): cells[2] for cells in table_lines("cookie")}


def test_every_cookie_that_the_code_sets_is_on_the_page():
    django_names = (
        settings.SESSION_COOKIE_NAME,
        settings.CSRF_COOKIE_NAME,
        settings.LANGUAGE_COOKIE_NAME,
    )
    names = {plain(name) for name in (*django_names, HostCookieStorage.cookie_name)}
    for tree, call in cookie_calls():
        constants = texts(call.args[0], tree)
        assert constants, f"cannot find the name of the cookie in {ast.unparse(call)}"
        names |= constants
    assert names == documented_cookies().keys()


@pytest.mark.django_db
def test_cookies_have_the_documented_flags(cognito_client):
    """A user signs in twice, ends the other session, chooses a language, and signs out."""
    here, there = (cognito_client("linus", bearer=False) for _ in range(2))
    here.get("/profile/")
    other = here.user.sign_ins.get(key=there.session["sign_in"])
    here.post(f"/profile/sessions/{other.pk}/end/")
    here.post("/language/", {"language": "de"})
    cookies = [*here.cookies.items()]
    response = here.post("/accounts/logout/", {"next": "/"})
    cookies += [item for item in response.cookies.items() if item[1]["max-age"]]  # not deleted
    flags = documented_cookies()
    checked = set()
    for name, morsel in cookies:
        [documented] = [start for start in flags if plain(name).startswith(start)]
        checked.add(documented)
        assert ("HttpOnly" in flags[documented]) is bool(morsel["httponly"]), name
        assert f"SameSite={morsel['samesite']}" in flags[documented], name
    assert checked == flags.keys()
