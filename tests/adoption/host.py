"""Host projects: `python -m tests.adoption.host NAME …` prints what users of each one get.

Each project is a fork of one process that has imported everything, because AUTH_USER_MODEL cannot
change. The pool is the test kit's fake, so that no request leaves the process. DATABASE_URL selects
another database than SQLite in memory.
"""

import gc
import importlib
import json
import logging
import os
import sys
import tempfile
import time
import traceback
from datetime import timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from urllib.parse import parse_qs

import django
import django.contrib.admin.options
import django.db.models
import environ
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.db import connections
from django.utils.functional import empty

from tests.adoption.projects import CONTRIB, OVERRIDES, SETTINGS
from tests.adoption.user_models import DEMANDING, HEADER, POSSIBLE

# Imported and generated once, for all forks.
LIBRARIES = (
    "django.core.management.commands.migrate",
    "django.db.backends.postgresql.base",
    "django.db.backends.sqlite3.base",
    "jwt",
    "pytest",
    "requests",
    "rest_framework.test",
    "rest_framework.views",
)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
LONG = "Coordenação dos Cursos Técnicos em Informática " * 4
CLEANUPS = []
BACKEND = """
from accounts.backends import CognitoBackend

class Backend(CognitoBackend):
    {body}
"""


def all_projects():
    """Return source, hook and settings by name. Two models are tried without their hooks, too."""
    projects = {name: (source, "pass", {}) for name, source in POSSIBLE.items()}
    for name, (source, hook) in DEMANDING.items():
        projects[name] = (source, f"def get_user_fields(self, claims): {hook}", {})
        if name in ("birthday", "phone"):
            projects[f"{name}_without_hook"] = (source, "pass", {})
    plain = POSSIBLE["email_login"]
    return projects | {name: (plain, "pass", more) for name, more in OVERRIDES.items()}


def database(name):
    """Return a database of this host project alone."""
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    import psycopg

    config = environ.Env.db_url_config(url)
    schema = f"host_{os.getpid()}_{name}"
    where = {key: config[key.upper()] or None for key in ("host", "port", "user", "password")}

    def execute(statement):
        with psycopg.connect(dbname=config["NAME"], autocommit=True, **where) as connection:
            connection.execute(statement)

    execute(f"CREATE SCHEMA {schema}")
    CLEANUPS.append(lambda: execute(f"DROP SCHEMA {schema} CASCADE"))
    return {**config, "ENGINE": "django.db.backends.postgresql",
            "OPTIONS": {"options": f"-c search_path={schema}"}}  # fmt: skip


def set_up(name, source, hook, overrides):
    """Start the host project. Its tables are created without migrations, which is faster."""
    labels = [app.rpartition(".")[2] for app in SETTINGS["INSTALLED_APPS"]]
    os.environ["TZ"] = overrides.get("TIME_ZONE", "UTC")  # as Django does with a settings module
    time.tzset()
    assert "REST_FRAMEWORK" not in overrides, "preload() has imported its views"
    alias = overrides.get("ALIAS", "default")
    options = {"ATOMIC_REQUESTS": overrides.get("ATOMIC_REQUESTS", False)}
    settings.configure(
        **SETTINGS | overrides,
        DATABASES={"default": {}, alias: database(name) | options},
        MIGRATION_MODULES=dict.fromkeys(labels),
    )
    folder = Path(tempfile.mkdtemp(prefix="host-"))
    (folder / "people").mkdir()
    files = {"__init__": "", "models": HEADER + source, "backends": BACKEND.format(body=hook)}
    for file, text in files.items():
        (folder / f"people/{file}.py").write_text(text)
    sys.path.insert(0, str(folder))
    django.setup()
    from django.apps import apps
    from django.conf.urls.i18n import i18n_patterns
    from django.contrib import admin
    from django.core.management import call_command
    from django.http import HttpResponse
    from django.urls import include, path
    from people.models import Person
    from rest_framework.response import Response
    from rest_framework.views import APIView

    from accounts.authentication import CognitoAuthentication

    def broken(request):
        raise RuntimeError(f"a failure after the renewal of {request.user}")

    class View(APIView):
        authentication_classes = (CognitoAuthentication,)

        def get_exception_handler(self):
            from accounts.api.exception_handler import exception_handler

            return exception_handler

        def get(self, request):
            return Response(str(request.user.pk))

    urls = sys.modules["urls"] = ModuleType("urls")
    ours = [path("sso/", include("accounts.urls"))]
    urls.urlpatterns = [
        *(i18n_patterns(*ours) if settings.USE_I18N and len(settings.LANGUAGES) == 2 else ours),
        path("report", lambda request: HttpResponse(str(request.user.is_authenticated))),
        path("broken", broken),
        path("api", View.as_view()),
    ]
    if apps.is_installed(f"{CONTRIB}admin"):
        from accounts.admin import UserPage

        admin.site.register(Person, type("PersonAdmin", (UserPage, admin.ModelAdmin), {}))
        urls.urlpatterns.append(path("admin/", admin.site.urls))
    call_command("migrate", run_syncdb=True, verbosity=0, database=alias)
    getattr(sys.modules["people.models"], "before", lambda: None)()
    return Person


def visit(person):
    """Yield each step's name and its result."""
    from django.apps import apps
    from django.contrib.admin.utils import quote
    from django.core.checks import run_checks
    from django.core.serializers.json import DjangoJSONEncoder
    from django.db import router
    from django.utils import timezone

    from accounts.core.app_label import page_url
    from accounts.directory import manual_linking
    from accounts.models import Identity, SignIn
    from accounts.privacy import erasure, export
    from accounts.provider import provider
    from accounts.testing import (
        CognitoClient,
        fake_cognito,
        mint_access_token,
        subject_of,
        tokens,
    )
    from accounts.testing.fake import FakeUser
    from accounts.users.copied_claims import email_of

    user_database = router.db_for_write(person)

    def code(response):
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        return response.json().get("code") if is_json and response.status_code >= 400 else None

    def signed_in(user):
        client = CognitoClient(raise_request_exception=False)
        try:
            client.sign_in(user, cognito)
        except AssertionError as error:
            return client, str(error)
        return client, client.get("/report").content.decode()

    def api_status(username):
        client = CognitoClient(raise_request_exception=False)
        client.bear(mint_access_token(username))
        return client.get("/api").status_code

    def renewed(client):
        SignIn.objects.update(renew_at=timezone.now() - timedelta(minutes=5))
        return [client.get("/report").status_code for _ in "12"]

    def failing_view(client):
        """Renew the sign-in in a view that then fails, and return whether it was stored."""
        SignIn.objects.update(renew_at=timezone.now() - timedelta(minutes=5))
        status = client.get("/broken").status_code
        return [status, SignIn.objects.filter(renew_at__gt=timezone.now()).count()]

    def user_of(username):
        return Identity.objects.get(subject=subject_of(username)).user

    tokens._pool_key = lambda pool_id: KEY
    with fake_cognito() as cognito:
        yield (
            "checks",
            sorted(
                {
                    message.id
                    for tags in (None, ["database"])
                    for message in run_checks(
                        tags=tags, include_deployment_checks=bool(tags), databases=[user_database]
                    )
                    if message.id.startswith("accounts")
                }
            ),
        )
        api = CognitoClient(raise_request_exception=False)
        api.bear(mint_access_token("ada"))
        response = api.get("/api")
        yield "api first", [response.status_code, code(response)]
        ada, twin = FakeUser("ada", name=LONG), FakeUser("twin", email="ada@example.com")
        browser, result = signed_in(ada)
        yield "sign in", result
        yield "again", signed_in(FakeUser("ada", name="Ada King"))[1]
        yield "same email", signed_in(twin)[1]
        yield "without email", [signed_in(FakeUser(name, email=""))[1] for name in ("a", "b")]
        yield "renewal", renewed(browser)
        if not Identity.objects.exists():
            return
        yield (
            "callbacks",
            {
                parse_qs(
                    CognitoClient().get(path, headers={"accept-language": language})["Location"]
                )["redirect_uri"][0]
                for language in ("en", "de")
                for path in [page_url("login").removeprefix("/app")]
            }
            == {provider().callback_url},
        )
        yield "failing view", failing_view(browser)
        yield "profile", browser.get(page_url("profile").removeprefix("/app")).status_code
        other = SignIn.objects.live().filter(subject=subject_of("ada")).latest("pk")
        end_session = page_url("end_session", other.pk).removeprefix("/app")
        yield "end session", browser.post(end_session).status_code
        yield "identities", Identity.objects.values("user").distinct().count()
        yield "email", [email_of(user_of("ada")), email_of(user_of("twin"))]
        yield "name", getattr(user_of("ada"), "first_name", None)
        boss = FakeUser("boss", groups=("admins",))
        browser, result = signed_in(boss)
        has_rights = [hasattr(person, "is_superuser"), hasattr(person, "groups")]

        def rights():
            user = user_of("boss")
            return [getattr(user, "is_superuser", None),
                    user.groups.count() if has_rights[1] else None]  # fmt: skip

        yield "boss", [result, rights()]
        list_page = "people/person/"
        pages = ["", list_page, f"{list_page}{quote(user_of('ada').pk)}/change/"]
        has_admin = apps.is_installed(f"{CONTRIB}admin") and hasattr(person, "is_staff")
        yield (
            "admin",
            [browser.get(f"/admin/{page}").status_code for page in pages if has_admin],
        )
        boss.groups, boss.email, boss.name = (), "ada@example.com", "Ada\tDouble"
        yield "boss renewal", renewed(browser)
        yield "boss no more", rights()
        link = manual_linking.PoolLink(
            user_of("ada"), "other", "https://other.example", "linked-subject"
        )
        yield "link", manual_linking.create_link(link)
        data = json.dumps(export.personal_data(user_of("ada")), cls=DjangoJSONEncoder)
        yield "export", subject_of("ada") in data
        user = user_of("ada")
        yield "erasure", erasure.erase(user, erasure.plan_erasure(user))
        yield "erased", Identity.objects.filter(subject=subject_of("ada")).exists()
        visits = SimpleNamespace(
            sign_in=lambda username: signed_in(FakeUser(username)),
            live=lambda username: SignIn.objects.live().filter(user=user_of(username)).count(),
            api=api_status,
            user=user_of,
        )
        yield "after", getattr(sys.modules["people.models"], "after", lambda _: None)(visits)


class Lines(logging.Handler):
    """The log of a host project."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        error = f" {record.exc_info[1]!r}" if record.exc_info else ""
        self.lines.append(f"{record.levelname} {record.getMessage()}{error}")


def run(name, source, hook, overrides):
    results, log = {}, Lines()
    logging.getLogger().addHandler(log)
    try:
        for step, result in visit(set_up(name, source, hook, overrides)):
            results[step] = result
    except Exception:
        results["traceback"] = traceback.format_exc()
    results["log"] = log.lines
    if CLEANUPS:
        connections.close_all()
        CLEANUPS.pop()()
    return results


def preload():
    """Import what all projects use and what does not depend on their settings."""
    settings.configure()
    for module in LIBRARIES:
        importlib.import_module(module)
    settings._wrapped = empty  # each project configures its own
    gc.collect()
    gc.freeze()


def main():
    preload()
    wanted = sys.argv[1:]
    for name, project in all_projects().items():
        if wanted and name not in wanted:
            continue
        sys.stdout.flush()
        if (child := os.fork()) == 0:
            print(json.dumps([name, run(name, *project)]))
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
