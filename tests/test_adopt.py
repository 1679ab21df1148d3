"""Follow docs/adopt.md in a project that has its own `accounts`, auth.User and users."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time

import pytest
import requests

from local_pool.testing import Client, LocalPool, Seed
from tests.imports import ROOT
from tests.processes import run_python

# The folder is copied as `sso`. tests/wheel installs the package.
GUIDE = (ROOT / "docs/adopt.md").read_text(encoding="utf-8").replace("cognito_sso", "sso")
SETTINGS = """
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
DEBUG = True
SECRET_KEY = "the-host-project's-own-secret-key-that-signs-nothing-of-worth-01234"
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "host.urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"  # as in older projects
INSTALLED_APPS = [
    "accounts",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "DIRS": [BASE_DIR / "templates"],
    "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
LOGIN_REDIRECT_URL = "/report"
"""
URLS = """
from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import include, path
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from sso.authentication import CognitoAuthentication

@login_required
def report(request):
    return HttpResponse(f"report for {request.user.username}")

class ReportView(APIView):
    authentication_classes = [CognitoAuthentication]
    permission_classes = [IsAuthenticated]

    def get(self, request):
        return Response({"report": request.user.username})

urlpatterns = [
    path("report", report),
    path("api/report", ReportView.as_view()),
    path("admin/", admin.site.urls),
    path("accounts/", include("accounts.urls")),
]
"""
FILES = {
    "manage.py": "import os, sys\n"
    "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'host.settings')\n"
    "from django.core.management import execute_from_command_line\n"
    "execute_from_command_line(sys.argv)\n",
    "host/__init__.py": "",
    "accounts/__init__.py": "",
    "accounts/migrations/__init__.py": "",
    "accounts/models.py": "from django.conf import settings\nfrom django.db import models\n\n"
    "class Profile(models.Model):\n"
    "    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)\n",
    "accounts/urls.py": "from django.http import HttpResponse\nfrom django.urls import path\n\n"
    "app_name = 'accounts'\n"
    "urlpatterns = [path('login/', lambda request: HttpResponse('their own'), name='login')]\n",
    "templates/base.html": "<title>{% block title %}{% endblock %}</title>"
    "<h1>The host</h1>{% block content %}{% endblock %}",
    "templates/accounts/profile.html": "their own profile",
}

EARLIER_IDENTITIES = """
from django.contrib.auth.models import User
from django.db import connection

names = (
    "user_id, issuer, subject, username, email, email_verified, name, groups, staff_from_pool, "
    "superuser_from_pool, created_at, updated_at"
)
for username, host in (("early", "cognito-idp"), ("late", "issuer-cognito-idp")):
    user = User.objects.create_user(username, is_active=username == "early")
    issuer = f"https://{host}.eu-west-1.amazonaws.com/eu-west-1_Ab1"
    values = [user.pk, issuer, "sub", "", "", 0, "", "[]", 0, 0, "2026-01-01", "2026-01-01"]
    with connection.cursor() as cursor:
        places = ", ".join(["%s"] * len(values))
        cursor.execute(f"INSERT INTO sso_identity ({names}) VALUES ({places})", values)
"""
UNLISTED = ("rest_framework", "boto3", "redis", "corsheaders", "csp", "whitenoise", "environ",
            "drf_spectacular", "import_export", "openpyxl", "psycopg")  # fmt: skip


def python_blocks(containing):
    """Return the Python code of the guide that contains a text."""
    blocks = re.findall(r"^```python\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    return "\n".join(block for block in blocks if containing in block)


def run(folder, environment, *arguments):
    done = run_python(["manage.py", *arguments], environment, cwd=folder)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """A host project that is migrated and has users, after steps 1 and 2 of the guide."""
    folder = tmp_path_factory.mktemp("host")
    for name, text in {**FILES, "host/settings.py": SETTINGS, "host/urls.py": URLS}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    urls = (folder / "host/urls.py").read_text()
    before = re.sub(r"\n(from sso|@login_required).*?(?=\nclass)", "\n", urls, flags=re.DOTALL)
    before = re.sub(r"\nclass ReportView.*?(?=\nurlpatterns)", "\n", before, flags=re.DOTALL)
    before = re.sub(r'    path\("(api/)?report".*\n', "", before)
    (folder / "host/urls.py").write_text(before)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    assert run(folder, environment, "makemigrations", "accounts").returncode == 0
    assert run(folder, environment, "migrate", "-v0").returncode == 0
    users = (
        "from django.contrib.auth.models import User\n"
        "from accounts.models import Profile\n"
        "make = User.objects.create_user\n"
        "Profile.objects.create(user=make('ada1', 'ADA@example.com', 'pw'))\n"
        "make('grace1', 'grace@example.com'); make('grace2', 'grace@example.com')\n"
    )
    assert run(folder, environment, "shell", "-c", users).returncode == 0
    # Steps 1 and 2 of the guide.
    shutil.copytree(ROOT / "accounts", folder / "sso", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "templates/accounts", folder / "templates/sso")
    guide = python_blocks("INSTALLED_APPS") + python_blocks("REST_FRAMEWORK")
    (folder / "host/settings.py").write_text(SETTINGS + guide)
    (folder / "host/urls.py").write_text(urls + python_blocks("urlpatterns +="))
    (folder / "accounts/admin.py").write_text(python_blocks("UserPage"))
    return folder


@pytest.fixture(scope="module")
def address():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://localhost:{free.getsockname()[1]}"


@pytest.fixture(scope="module")
def pool(address):
    client = Client("hostclient", "host-client-secret", callback_urls=(f"{address}/sso/signin",),
                    logout_urls=(f"{address}/sso/signout",))  # fmt: skip
    people = [Seed(name) for name in ("ada", "grace", "linus", "mary", "otto", "vera")]
    with LocalPool(clients=[client], people=people) as running:
        yield running


@pytest.fixture(scope="module")
def environment(host, address, pool):
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(host),
        **pool.env(),
        "COGNITO_CLIENT_ID": "hostclient",
        "COGNITO_CLIENT_SECRET": "host-client-secret",
        "TOKEN_ENCRYPTION_KEYS": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "PUBLIC_URL": address,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.fixture(scope="module")
def server(host, address, environment):
    """The URL of the running host project, after all steps of the guide."""
    assert run(host, environment, "migrate", "-v0").returncode == 0
    with (host / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "runserver", "--noreload", address.partition("//")[2]],
            cwd=host, env=environment, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    deadline = time.monotonic() + 60
    while True:
        try:
            requests.get(f"{address}/accounts/login/", timeout=60)
            break
        except requests.ConnectionError:
            assert process.poll() is None, (host / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.2)
    yield address
    process.terminate()
    process.wait(20)


def sign_in(server, pool, username, page="/report"):
    """Sign a user in. Return the browser and its last page."""
    browser = requests.Session()
    redirect = browser.get(f"{server}{page}", allow_redirects=False, timeout=60)
    assert redirect.headers["Location"] == f"/sso/accounts/login/?next={page}"
    authorize = browser.get(
        f"{server}{redirect.headers['Location']}", allow_redirects=False, timeout=60
    )
    callback = pool.sign_in(authorize.headers["Location"], username, session=browser)
    return browser, browser.get(callback, timeout=60)


def test_guide_needs_as_many_lines_as_the_quickstart_says():
    lines = [line for line in python_blocks("from_environment").splitlines() if line.strip()]
    quickstart = (ROOT / "docs/quickstart.md").read_text(encoding="utf-8")
    assert f"{len(lines)} lines of settings" in quickstart


def test_migrations_are_complete_and_checks_are_clean(host, environment):
    assert run(host, environment, "makemigrations", "--check", "--dry-run").returncode == 0
    checked = run(host, environment, "check", "--fail-level", "WARNING")
    assert checked.returncode == 0, checked.stderr


def test_identities_of_an_earlier_version_get_their_pool(host, environment):
    """The app has another label here, and the user model is the project's own."""
    assert run(host, environment, "migrate", "-v0").returncode == 0
    assert run(host, environment, "migrate", "sso", "0001", "-v0").returncode == 0
    done = run(host, environment, "shell", "-c", EARLIER_IDENTITIES)
    assert done.returncode == 0, done.stderr
    assert run(host, environment, "migrate", "-v0").returncode == 0
    listed = run(host, environment, "cognito_link_users", "--set-aside").stdout
    assert "eu-west-1_Ab1\n+  used: late, deactivated\n-  set aside: early\n" in listed
    delete = "User.objects.filter(username__in=['early', 'late']).delete()"
    imported = f"from django.contrib.auth.models import User\n{delete}"
    assert run(host, environment, "shell", "-c", imported).returncode == 0


def test_pages_and_admin_need_only_the_listed_requirements(host, environment):
    """Only the API needs Django REST framework. Other requirements are those of this project."""
    code = f"""
import sys, importlib.abc
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {UNLISTED}:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Absent())
import django
django.setup()
from django.core import checks
import sso.urls, sso.middleware, sso.backends, sso.testing, sso.admin, sso.user_tokens
from django.core.management import get_commands, load_command_class
from sso.permissions import group_required
for name, app in get_commands().items():
    if app == "sso":
        load_command_class(app, name)
assert checks.run_checks(tags=["configuration"]) == []
client = sso.testing.CognitoClient()
client.bear("a-token")
assert client._base_environ()["HTTP_AUTHORIZATION"] == "Bearer a-token"
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=host,
        env={**environment, "DJANGO_SETTINGS_MODULE": "host.settings"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_doctor_has_no_findings(server, host, environment):
    result = run(host, environment, "cognito_doctor", "--describe")
    assert result.returncode == 0, result.stdout + result.stderr


def test_users_are_linked_then_sign_in_as_themselves(server, host, environment, pool):
    dry_run = run(host, environment, "cognito_link_users")
    assert dry_run.returncode == 0, dry_run.stderr
    assert "+  ada <ada@example.com>: link to ada1" in dry_run.stdout
    assert "-  grace has an email address that several users here have" in dry_run.stdout
    assert "-  linus has an email address that no user here has" in dry_run.stdout
    assert "1 would be linked." in dry_run.stdout
    refused = run(host, environment, "cognito_link_users", "grace1", "--apply")
    assert (refused.returncode, "Nothing was changed." in refused.stderr) == (1, True)
    count = (
        "from sso.models import Identity\n"
        "print(Identity.objects.filter(user__username__in=['ada1', 'grace1']).count())"
    )
    assert run(host, environment, "shell", "--no-imports", "-c", count).stdout == "0\n"
    assert "1 linked." in run(host, environment, "cognito_link_users", "--apply").stdout
    again = run(host, environment, "cognito_link_users", "--apply")
    assert "-  ada is already linked to ada1" in again.stdout
    browser, page = sign_in(server, pool, "ada")
    assert (page.url, page.text) == (f"{server}/report", "report for ada1")
    profile = browser.get(f"{server}/sso/profile/", timeout=60)
    assert "The host" in profile.text
    assert "ada@example.com" in profile.text
    token = browser.cookies["csrftoken"]
    out = browser.post(f"{server}/sso/accounts/logout/", {"csrfmiddlewaretoken": token}, timeout=60)
    assert out.url == f"{server}/sso/signout"
    assert browser.get(f"{server}/report", allow_redirects=False, timeout=60).status_code == 302


def test_unknown_user_gets_a_new_account(server, pool):
    _, page = sign_in(server, pool, "mary")
    assert page.text.startswith("report for user-")


def test_user_is_exported_and_erased_with_data_of_the_host(server, host, environment, pool):
    sign_in(server, pool, "otto")
    code = (
        "from accounts.models import Profile\n"
        "from sso.models import Identity\n"
        "Profile.objects.create(user=Identity.objects.get(username='otto').user)"
    )
    assert run(host, environment, "shell", "--no-imports", "-c", code).returncode == 0
    exported = json.loads(run(host, environment, "cognito_export_user", "otto").stdout)
    assert exported["withheld"]["auth.User"] == ["password"]
    assert exported["counts"]["accounts.Profile (user)"] == 1
    dry_run = run(host, environment, "cognito_erase_user", "otto")
    assert "-  accounts.Profile: 1\n" in dry_run.stdout, dry_run.stderr
    assert "Erased." in run(host, environment, "cognito_erase_user", "otto", "--apply").stdout
    assert run(host, environment, "cognito_export_user", "otto").returncode == 1


def test_api_view_accepts_only_access_tokens(server, pool):
    url = f"{server}/api/report"
    tokens = pool.tokens_for("vera", client_id="hostclient")
    refused = requests.get(url, timeout=60)
    assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated")
    for kind, status in (("access_token", 200), ("id_token", 401)):
        bearer = {"Authorization": f"Bearer {tokens[kind]}"}
        response = requests.get(url, headers=bearer, timeout=60)
        assert response.status_code == status
    assert response.json()["code"] == "wrong_token_use"
    assert response.json()["error"] == response.json()["detail"]


VISIT_THE_ADMIN = """
from django.contrib.auth.models import User
from django.test import Client
User.objects.create_superuser("boss")
client, mary = Client(headers={"host": "localhost"}), User.objects.create_user("mary")
print("anonymous:", client.get("/admin/")["Location"])
client.force_login(User.objects.get(username="boss"))
for page in ("", "auth/user/", f"auth/user/{mary.pk}/change/", "sso/signinevent/"):
    response = client.get(f"/admin/{page}")
    print(f"page {page}: {response.status_code}")
    print(response.content.decode())
form = {"action": "deactivate", "_selected_action": [mary.pk], "from_user": mary.pk}
print("redirects to", client.post("/admin/auth/user/", form)["Location"])
print("active:", User.objects.get(pk=mary.pk).is_active)
"""


def test_admin_uses_single_sign_on_and_has_a_user_page(server, host, environment):
    result = run(host, environment, "shell", "--no-imports", "-c", VISIT_THE_ADMIN)
    assert result.returncode == 0, result.stderr
    output = result.stdout
    assert "anonymous: /sso/accounts/login/?next=%2Fadmin%2F" in output
    pages = re.findall(r"^page (\S*): (\d+)$", output, re.MULTILINE)
    assert [status for _, status in pages] == ["200"] * 4, pages
    for part in ("Who is signed in", "Rights and their sources", "Current sessions"):
        assert part in output
    assert f"redirects to /admin/{pages[2][0]}" in output
    assert "active: False" in output


def test_accounts_app_of_the_host_is_unchanged(server):
    assert requests.get(f"{server}/accounts/login/", timeout=60).text == "their own"
