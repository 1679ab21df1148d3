"""README, .env.example and the Makefile document all commands, variables and URLs that exist."""

import ast
import re
import subprocess

import pytest
from django.core.management import get_commands
from django.urls import Resolver404, resolve

from accounts.cognito import errors
from accounts.problems.catalog import PROBLEMS
from local_pool.config import SETTINGS
from tests.imports import ROOT
from tools.docs import PAGES
from tools.docs.settings_page import variables

README = (ROOT / "README.md").read_text(encoding="utf-8")
HOW_IT_WORKS = (ROOT / "docs/how-it-works.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))] + [
    file
    for folder in ("accounts", "examples", "stats", "local_pool", "sso_project", "infra")
    for file in sorted((ROOT / folder).rglob("*.md"))
]
POOL_VARIABLES = {f"POOL_{name.upper()}" for name in SETTINGS} | {"LOCAL_POOL_DIR"}


def urls() -> list[str]:
    """Return the URLs in the table of docs/how-it-works.md."""
    table = HOW_IT_WORKS.split("\n| URL |", 1)[1].split("\n\n", 1)[0]
    return [
        url
        for line in table.splitlines()[2:]
        for url in re.findall(r"`([^`]+)`", line.split("|")[1])
    ]


def settings_read() -> set[str]:
    """Return the variables that settings.py reads, independent of their values."""
    tree = ast.parse((ROOT / "sso_project/settings.py").read_text(encoding="utf-8"))
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) in ("env", "os.environ")
        and isinstance(node.args[0], ast.Constant)
    }


def test_env_example_explains_every_setting_and_no_other():
    names = [variable.name for variable in variables()]
    assert len(names) == len(set(names))
    assert settings_read() - set(names) == set()
    assert set(names) - settings_read() <= POOL_VARIABLES


@pytest.mark.parametrize("name", PAGES)
def test_generated_page_is_up_to_date(name):
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert page == PAGES[name](), "Run `make docs`, and commit the page."


def test_every_page_is_in_the_navigation_of_the_site():
    listed = re.findall(r"^ +- ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    pages = {str(file.relative_to(ROOT / "docs")) for file in (ROOT / "docs").rglob("*.md")}
    assert sorted(listed) == sorted(pages)


def test_copied_env_example_sets_nothing():
    assert [line for line in EXAMPLE.splitlines() if line and not line.startswith("# ")] == []


@pytest.mark.parametrize("url", urls())
def test_documented_url_exists(url):
    try:
        resolve(url)
    except Resolver404:
        pytest.fail(f"docs/how-it-works.md names {url}, but no such page exists.")


def test_make_targets_and_readme_name_each_other():
    targets = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
    code = "\n".join(commands_in(README))
    mentioned = set(re.findall(r"\bmake (?:-s )?([a-z][a-z-]*)\b(?=[`\s])", code))
    assert mentioned == targets


def commands_in(text: str) -> list[str]:
    """Return the code in a Markdown text, inline and in blocks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [*blocks, *(f"{code} " for code in re.findall(r"`([^`\n]+)`", text))]


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_documented_commands_exist(file):
    text = "\n".join(commands_in(file.read_text(encoding="utf-8")))
    names = set(re.findall(r"manage\.py ([a-z_]+)", text))
    assert names - set(get_commands()) == set()
    names = set(re.findall(r"^\s*(?:\$ )?make (?:-s )?([a-z-]+)", text, re.MULTILINE))
    assert names - set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)) == set()


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_relative_links_lead_somewhere(file):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", file.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in local if not (file.parent / link).exists()] == []


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives the headings of a Markdown text."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_anchors_of_links_exist(file):
    links = re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", file.read_text(encoding="utf-8"))
    missing = [
        f"{path}#{anchor}"
        for path, anchor in links
        if anchor not in anchors((file.parent / path if path else file).read_text(encoding="utf-8"))
    ]
    assert missing == []


def test_make_help_lists_every_target():
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    targets = re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE)
    assert re.findall(r"^  make ([a-z-]+)", done.stdout, re.MULTILINE) == targets


def leaves(kind):
    children = kind.__subclasses__()
    return [kind] if not children else [leaf for child in children for leaf in leaves(child)]


@pytest.mark.parametrize("error", leaves(errors.CognitoError), ids=lambda error: error.__name__)
def test_every_error_has_a_text_for_users(error):
    text = next((PROBLEMS[kind] for kind in error.__mro__ if kind in PROBLEMS), None)
    assert text is not None
    assert text is not PROBLEMS[errors.CognitoError] or issubclass(error, errors.ConfigurationError)
    assert text.title
    assert text.what
    assert text.next_step
    assert 400 <= text.status < 600
