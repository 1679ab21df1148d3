"""docs/install.md, followed from an empty environment to a signed-in user."""

import zipfile

import pytest

from .project import SETTINGS, URLS, blocks

pytestmark = pytest.mark.xdist_group("wheel")

CALLBACK_WITHOUT_A_POOL = """
from urllib.parse import parse_qs, urlsplit
from django.test import Client
client = Client(headers={"host": "localhost"})
authorize = parse_qs(urlsplit(client.get("/accounts/login/")["Location"]).query)
page = client.get("/signin", {"code": "code", "state": authorize["state"][0]})
print(page.status_code, "color-scheme" in page.text, page.text.count("<h1>"))
"""


def test_guide_needs_at_most_ten_lines():
    lines = [line for line in (SETTINGS + URLS).splitlines() if line.strip()]
    assert 5 < len(lines) <= 10


def test_wheel_has_one_package_with_templates_migrations_and_types(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    folders = {name.partition("/")[0] for name in names}
    assert {name for name in folders if ".dist-info" not in name} == {"cognito_sso"}
    for file in ("migrations/0001_initial.py", "templates/cognito_sso/admin/user.html", "py.typed",
                 "management/commands/cognito_doctor.py", "local_pool/pool.toml",
                 "local_pool/static/pool.css", "local_pool/templates/login.html",
                 "static/sso/admin.css", "locale/de/LC_MESSAGES/django.mo"):  # fmt: skip
        assert f"cognito_sso/{file}" in names
    assert not [name for name in names if "__pycache__" in name or name.endswith("ruff.toml")]


def test_new_project_has_no_findings(project):
    assert project.run("manage.py", "makemigrations", "--check") == "No changes detected\n"
    assert "no issues" in project.run("manage.py", "check")


def test_user_signs_in_through_the_local_pool_and_out(project):
    with project.servers():
        browser, page = project.sign_in()
        assert page.url == f"{project.url}/profile/"
        assert "<h1>Ada Lovelace</h1>" in page.text
        form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        signed_out = browser.post(f"{project.url}/accounts/logout/", form, timeout=60)
        assert signed_out.url == f"{project.url}/signout"
        assert "<h1>You're signed out</h1>" in signed_out.text
        profile = browser.get(f"{project.url}/profile/", allow_redirects=False, timeout=60)
        assert profile.status_code == 302


def test_problem_page_needs_no_template_of_the_project(project):
    output = project.run("manage.py", "shell", "-c", CALLBACK_WITHOUT_A_POOL)
    assert output.splitlines()[-1] == "503 True 1"


def test_fixtures_work_in_the_tests_of_the_project(project):
    project.append("conftest.py", blocks("python", "pytest_plugins"))
    project.append("test_site.py", blocks("python", "def test_"))
    options = ("--ds", "mysite.settings", "-p", "no:cacheprovider")
    assert "2 passed" in project.run("-m", "pytest", *options)
