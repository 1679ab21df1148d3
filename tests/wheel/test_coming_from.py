"""docs/coming-from.md: users of other libraries keep their accounts."""

import json
import os
import re
import subprocess

import pytest

from accounts.testing import subject_of
from tests.accounts.aws_endpoint import AwsEndpoint
from tests.imports import ROOT

from . import environment
from .test_extras import POOL_USER

pytestmark = pytest.mark.xdist_group("wheel")

GUIDE = (ROOT / "docs/coming-from.md").read_text(encoding="utf-8")
VISIT = """
from cognito_sso.models import Identity
from cognito_sso.testing import fake_cognito, mint_access_token, mint_id_token, subject_of

def calls():
    from django.test import Client
    with fake_cognito():
        for token in (mint_access_token("ada"), mint_id_token("ada")):
            response = Client(headers={"authorization": f"Bearer {token}"}).get("/api")
            yield response.json() if response.status_code == 200 else response.json()["code"]

def report(*more):
    from django.contrib.auth import get_user_model
    print(json.dumps([site.page_of("ada"), *more, get_user_model().objects.count(),
                      Identity.objects.count()]))
"""
ALLAUTH = """
import json
import small_site as site
names = ("allauth", "allauth.account", "allauth.socialaccount",
         "allauth.socialaccount.providers.amazon_cognito")
urlpatterns = site.start(
    INSTALLED_APPS=[*site.SETTINGS["INSTALLED_APPS"], *names],
    MIDDLEWARE=[*site.SETTINGS["MIDDLEWARE"], "allauth.account.middleware.AccountMiddleware"],
    AUTHENTICATION_BACKENDS=["cognito_sso.backends.CognitoBackend",
                             "allauth.account.auth_backends.AuthenticationBackend"],
)
{visit}
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.urls import include, path
urlpatterns.append(path("accounts/", include("allauth.urls")))
SocialAccount.objects.create(user=User.objects.create_user("before"), provider="amazon_cognito",
                             uid=subject_of("ada"), extra_data={{}})
SocialAccount.objects.create(user=User.objects.create_user("other"), provider="github", uid="7")
for _ in "12":
    exec({link!r}, {{}})
report()
"""
MOZILLA = """
import json, sys, types
import small_site as site
backends = sys.modules["backends"] = types.ModuleType("backends")
site.start(AUTHENTICATION_BACKENDS=["backends.Backend"])
exec({backend!r}, vars(backends))
{visit}
from django.contrib.auth.models import User
from django.core.management import call_command
User.objects.create_user("before", "mary@example.com")
call_command("cognito_link_users", "--apply")
def page(name, **options):
    try:
        return site.page_of(name, **options)
    except AssertionError as error:
        return str(error)
print(json.dumps([page("mary", groups=["staff"], bearer=False),
                  page("linus", bearer=False), User.objects.count()]))
"""
COGNITO_JWT = """
import json, sys, types
import small_site as site
guide = {{}}
exec({settings!r}, guide)
urlpatterns = site.start(
    INSTALLED_APPS=["people", *site.SETTINGS["INSTALLED_APPS"]], AUTH_USER_MODEL="people.Person",
    REST_FRAMEWORK=guide["REST_FRAMEWORK"],
)
site.api_of(urlpatterns)
{visit}
from people.models import Person
Person.objects.create_user("before", cognito_id=subject_of("ada"))
Person.objects.create_user("local")
for _ in "12":
    exec({link!r}, {{}})
report(*calls())
"""
PERSON = """
from django.contrib.auth.models import AbstractUser
from django.db import models

class Person(AbstractUser):
    cognito_id = models.CharField(max_length=50, blank=True)
"""


def blocks(section, containing):
    """Return the Python code of a section of the guide that contains a text."""
    text = GUIDE.partition(f"\n## From {section}\n")[2].partition("\n## ")[0]
    code = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return "\n".join(block for block in code if containing in block)


@pytest.fixture(scope="module")
def host(wheel, tmp_path_factory):
    """Return a function that runs a script in an environment with the wheel and allauth."""
    folder = tmp_path_factory.mktemp("host")
    also = ["django-allauth[socialaccount]"]
    python = environment.install(wheel, folder / "venv", "api", "aws", also=also)
    site = environment.SITE.read_text(encoding="utf-8")
    (folder / "small_site.py").write_text(site, encoding="utf-8")
    (folder / "people").mkdir()
    (folder / "people/__init__.py").write_text("")
    (folder / "people/models.py").write_text(PERSON)

    def run(code, **variables):
        done = subprocess.run(
            [python, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), **variables},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


def test_users_of_allauth_keep_their_accounts(host):
    link = blocks("django-allauth", "link_user")
    assert host(ALLAUTH.format(visit=VISIT, link=link)) == ["page for before", 2, 1]


def test_users_and_subclass_of_mozilla_django_oidc_stay(host):
    backend = blocks("mozilla-django-oidc", "CognitoBackend")
    attributes = [{"Name": "sub", "Value": subject_of("mary")}, *POOL_USER["Attributes"][1:]]
    with AwsEndpoint(ListUsers={"Users": [POOL_USER | {"Attributes": attributes}]}) as aws:
        result = host(MOZILLA.format(visit=VISIT, backend=backend), **aws.environment)
    assert result[0] == "page for before"
    assert result[1].startswith("linus was not signed in")
    assert result[2] == 1


def test_users_of_django_cognito_jwt_call_with_access_tokens(host):
    code = COGNITO_JWT.format(
        visit=VISIT,
        link=blocks("django-cognito-jwt", "link_user"),
        settings=blocks("django-cognito-jwt", "REST_FRAMEWORK"),
    )
    assert host(code) == ["page for before", "before", "wrong_token_use", 2, 1]
