"""The settings of host projects, and those that differ from project to project."""

import tempfile

from tests.imports import ROOT

CONTRIB = "django.contrib."
OUR_TEMPLATES = {
    path.relative_to(ROOT / "templates").as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "templates/accounts").rglob("*.html")
}
SETTINGS = {
    "SECRET_KEY": "x" * 50,
    "ROOT_URLCONF": "urls",
    "ALLOWED_HOSTS": ["*"],
    "USE_TZ": True,
    "AUTH_USER_MODEL": "people.Person",
    "LOGIN_URL": "accounts:login",
    "LOGIN_REDIRECT_URL": "/report",
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    "AUTHENTICATION_BACKENDS": ["people.backends.Backend"],
    "INSTALLED_APPS": [
        "people",
        "accounts",
        "accounts.admin_app.SingleSignOnAdminConfig",
        *(CONTRIB + app for app in ("auth", "contenttypes", "sessions", "messages")),
    ],
    "MIDDLEWARE": [
        f"{CONTRIB}sessions.middleware.SessionMiddleware",
        f"{CONTRIB}auth.middleware.AuthenticationMiddleware",
        f"{CONTRIB}messages.middleware.MessageMiddleware",
        "accounts.middleware.SignInMiddleware",
    ],
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ],
                "loaders": [
                    (
                        "django.template.loaders.locmem.Loader",
                        {"base.html": "{% block content %}{% endblock %}", **OUR_TEMPLATES},
                    ),
                    "django.template.loaders.app_directories.Loader",
                ],
            },
        }
    ],
    "COGNITO": {
        "POOL_ID": "local-1_TestPool1",
        "ISSUER": "http://localhost:1/local-1_TestPool1",
        "CLIENT_DOMAIN": "http://localhost:1",
        "CLIENT_ID": "hostclient",
        "CLIENT_SECRET": "host-client-secret",
        "PUBLIC_URL": "http://localhost:8001",
        "TOKEN_ENCRYPTION_KEYS": ["A" * 43 + "="],
        "GROUPS": {"admins": {"groups": ["managers"], "staff": True, "superuser": True}},
    },
}


class PeopleRouter:
    """Everything is in the database `people`, and `default` is empty."""

    def db_for_read(self, model, **hints):
        return "people"

    db_for_write = db_for_read

    def allow_relation(self, *args, **hints):
        return True

    def allow_migrate(self, db, app_label, **hints):
        return db == "people"


def _session(engine):
    return {"SESSION_ENGINE": f"{CONTRIB}sessions.backends.{engine}"}


def _with_middleware(*names):
    first, authentication, *rest = SETTINGS["MIDDLEWARE"]
    return [first, *names, authentication, *rest]


_TEMPLATES = SETTINGS["TEMPLATES"][0]
OVERRIDES = {
    "time_zone_off": {"USE_TZ": False, "TIME_ZONE": "America/Los_Angeles"},
    "time_zone_off_in_the_east": {"USE_TZ": False, "TIME_ZONE": "Asia/Tokyo", **_session("cache")},
    "other_database": {
        "ALIAS": "people",
        "ATOMIC_REQUESTS": True,
        "DATABASE_ROUTERS": ["tests.adoption.projects.PeopleRouter"],
        **_session("cached_db"),
    },
    "i18n_patterns": {
        "USE_I18N": True,
        "LANGUAGES": [("en", "English"), ("de", "German")],
        "MIDDLEWARE": _with_middleware("django.middleware.locale.LocaleMiddleware"),
        **_session("signed_cookies"),
    },
    "login_required": {
        "MIDDLEWARE": [
            *SETTINGS["MIDDLEWARE"],
            f"{CONTRIB}auth.middleware.LoginRequiredMiddleware",
        ],
        **_session("file"),
        "SESSION_FILE_PATH": tempfile.gettempdir(),
    },
    "below_a_path": {"FORCE_SCRIPT_NAME": "/app"},
    "plain_admin": {
        "INSTALLED_APPS": [
            f"{CONTRIB}admin" if "Admin" in app else app for app in SETTINGS["INSTALLED_APPS"]
        ],
    },
    "without_admin_and_messages": {
        "INSTALLED_APPS": [
            app
            for app in SETTINGS["INSTALLED_APPS"]
            if "Admin" not in app and app != f"{CONTRIB}messages"
        ],
        "MIDDLEWARE": [name for name in SETTINGS["MIDDLEWARE"] if "messages" not in name],
        "TEMPLATES": [
            {
                **_TEMPLATES,
                "OPTIONS": {
                    "loaders": _TEMPLATES["OPTIONS"]["loaders"],
                    "string_if_invalid": "INVALID",
                },
            }
        ],
    },
}
