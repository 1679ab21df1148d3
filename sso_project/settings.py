"""The settings. Values that differ between deployments come from the environment or `.env`.

DEBUG is off by default. If it is off, `wsgi.py` and `asgi.py` fail to load when a value is missing
or invalid (`startup.py`). If it is on, missing values have defaults for development. It cannot be
on for a public PUBLIC_URL.
"""

import base64
import hashlib
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from corsheaders.defaults import default_headers
from csp.constants import NONE, SELF

import accounts
from accounts.cognito import safe_urls

from .environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_DIR = BASE_DIR / ".local"  # files of a local run; ignored by git

_env_file = os.environ.get("ENV_FILE", "")
env = Environment(Path(_env_file or BASE_DIR / ".env"), name="ENV_FILE" if _env_file else "")
ENVIRONMENT_PROBLEMS = env.problems

# --- The site -------------------------------------------------------------------------------------

_debug = env.flag("DEBUG", False)
SECRET_KEY = env.text("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.items("SECRET_KEY_FALLBACKS")
PORT = env.port("PORT", 8000)

# Callback and sign-out URLs are built from this, never from a Host header.
PUBLIC_URL = env.origin("PUBLIC_URL", f"http://localhost:{PORT}" if _debug else None)
HTTPS = PUBLIC_URL.startswith("https:")

# DEBUG decides all defaults that are unsafe on a public site. It is off for a public URL even in a
# process that does not run the system checks.
DEBUG = (
    _debug and safe_urls.is_loopback(PUBLIC_URL) and "AWS_LAMBDA_FUNCTION_NAME" not in os.environ
)
if _debug and not DEBUG and "PUBLIC_URL" not in env.problems:
    env.problems["DEBUG"] = "must be 0, because PUBLIC_URL is not a loopback URL"
if not DEBUG:
    env.require_strong_keys("SECRET_KEY", [SECRET_KEY])
    env.require_strong_keys("SECRET_KEY_FALLBACKS", SECRET_KEY_FALLBACKS)

_host = urlsplit(PUBLIC_URL).hostname
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", (_host,) if _host else ())
if DEBUG:
    ALLOWED_HOSTS += [
        f"[{host}]" if ":" in host else host for host in sorted(safe_urls.LOOPBACK_HOSTS)
    ]
# The path of the site below its host on AWS Lambda, if the event does not hold it (lambda_path.py).
LAMBDA_BASE_PATH = env.path("LAMBDA_BASE_PATH")
# Only for these, X-Forwarded-For and X-Forwarded-Proto are used.
TRUSTED_PROXIES = env.items("TRUSTED_PROXIES")
# These may read /metrics and the details of /readyz, as loopback may.
TRUSTED_CALLERS = env.items("TRUSTED_CALLERS")

# Read by deploy/gunicorn_config.py.
SERVER: dict[str, Any] = {
    "BIND": env.bind("BIND", f"127.0.0.1:{PORT}"),
    "PROCESSES": env.number("WEB_CONCURRENCY", 2, minimum=1),
    "THREADS": env.number("WEB_THREADS", 32, minimum=2),
}

VERSION = accounts.__version__  # shown to staff
SITE_NAME = env.text("SITE_NAME", "Ledger")
SITE_LOGO = env.text("SITE_LOGO", "img/logo.svg")
REPO = env.link("REPO", "https://github.com/example/sso-project")

ROOT_URLCONF = "sso_project.urls"
WSGI_APPLICATION = "sso_project.wsgi.application"
ASGI_APPLICATION = "sso_project.asgi.application"
TEST_RUNNER = "sso_project.test_runner.PytestRunner"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# The language of a browser that prefers none of LANGUAGES, and of commands (docs/languages.md).
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
USE_I18N = True
FORMAT_MODULE_PATH = "sso_project.formats"
TIME_ZONE = "UTC"
USE_TZ = True

# --- Cognito --------------------------------------------------------------------------------------

_snapshot = env.text("COGNITO_JWKS_SNAPSHOT", "")
_limits = {
    "renewal_grace": env.number("COGNITO_RENEWAL_GRACE", None),
    "session_idle": env.number("SESSION_IDLE_SECONDS", None),
    "session_absolute": env.number("SESSION_ABSOLUTE_SECONDS", None),
    # Only half of the threads, so that a slow Cognito does not block all other requests.
    "calls_at_once": max(1, SERVER["THREADS"] // 2),
    "access_token": env.number("COGNITO_LONGEST_ACCESS_TOKEN", None),
    "events": env.number("SIGN_IN_EVENTS_SECONDS", None),
    "sessions_per_user": env.number("COGNITO_SESSIONS_PER_USER", None),
    "rotation_grace": env.number("COGNITO_ROTATION_GRACE", None),
}
# Only accounts.provider reads this. It derives the issuer and endpoints, and validates the values.
COGNITO: dict[str, Any] = {
    "POOL_ID": env.text("COGNITO_POOL_ID", ""),
    "CLIENT_ID": env.text("COGNITO_CLIENT_ID", ""),
    "CLIENT_SECRET": env.text("COGNITO_CLIENT_SECRET", ""),
    "CLIENT_DOMAIN": env.text("COGNITO_CLIENT_DOMAIN", ""),
    "CLIENT_REGION": env.text("COGNITO_CLIENT_REGION", ""),
    "ISSUER": env.items("COGNITO_ISSUER"),
    "JWKS_URL": env.text("COGNITO_JWKS_URL", ""),
    "REPLICA_REGIONS": env.items("COGNITO_REPLICA_REGIONS"),
    "JWKS_SNAPSHOT": str(BASE_DIR / _snapshot) if _snapshot else "",
    "FROZEN_BETWEEN_REQUESTS": "AWS_LAMBDA_FUNCTION_NAME" in os.environ,
    "SCOPES": env.items("COGNITO_SCOPES"),
    "ACCEPTED_CLIENTS": env.items("COGNITO_ACCEPTED_CLIENTS"),
    "PUBLIC_CLIENT_ID": env.text("COGNITO_PUBLIC_CLIENT_ID", ""),
    "RESOURCES": env.items("COGNITO_RESOURCES"),
    "UNLISTED_CLIENT_SCOPES": env.items("COGNITO_UNLISTED_CLIENT_SCOPES"),
    "ACTORS": env.items("COGNITO_ACTORS"),
    "IDENTITY_PROVIDERS": env.items("COGNITO_IDENTITY_PROVIDERS"),
    "ACR_VALUES": env.items("COGNITO_ACR_VALUES"),
    "ADMIN_STEP_UP": env.mapping("COGNITO_ADMIN_STEP_UP", {}),
    "CLIENT_RIGHTS": env.mapping("COGNITO_CLIENT_RIGHTS", {}),
    "TRUSTED_POOLS": env.mapping("COGNITO_TRUSTED_POOLS", {}),
    "SPA_REDIRECT_URIS": env.items(
        "COGNITO_SPA_REDIRECT_URIS",
        ("http://localhost:3000/signin", "http://localhost:3001/signin") if DEBUG else (),
    ),
    "CREATE_PEOPLE": env.flag("COGNITO_CREATE_PEOPLE", True),
    "SHOW_TRIGGER_MESSAGES": env.flag("COGNITO_SHOW_TRIGGER_MESSAGES", False),
    "GROUPS": env.mapping(
        "COGNITO_GROUPS", {"editors": "editors", "admins": {"staff": True, "superuser": True}}
    ),
    "GROUPS_ABSENT_MEANS_NONE": env.flag("COGNITO_GROUPS_ABSENT_MEANS_NONE", True),
    "LIMITS": {name: limit for name, limit in _limits.items() if limit is not None},
    # A missing or malformed one is reported already.
    "PUBLIC_URL": PUBLIC_URL or "http://localhost",
    "TOKEN_ENCRYPTION_KEYS": env.items("TOKEN_ENCRYPTION_KEYS"),
}
COGNITO_FROM_ENVIRONMENT = True  # messages name the variables
if DEBUG and not COGNITO["TOKEN_ENCRYPTION_KEYS"]:
    _digest = hashlib.sha256(b"token encryption in development:" + SECRET_KEY.encode()).digest()
    COGNITO["TOKEN_ENCRYPTION_KEYS"] = [base64.urlsafe_b64encode(_digest).decode()]

# The URLs and the header refresh of the original stack (accounts/api/spa_compat.py).
SPA_COMPAT = env.flag("SPA_COMPAT", DEBUG)

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.CognitoBackend"]
# Password sign-in to the admin, for when Cognito is unavailable (docs/people.md).
BREAK_GLASS_LOGIN = env.flag("BREAK_GLASS_LOGIN", False)
if BREAK_GLASS_LOGIN:
    AUTHENTICATION_BACKENDS.append("accounts.backends.BreakGlassBackend")
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "accounts:profile"
LOGIN_REDIRECT_URL = "stats:dashboard"  # example

# --- Applications ---------------------------------------------------------------------------------

INSTALLED_APPS = [
    "sso_project",
    "accounts",
    "stats",  # example
    "accounts.admin_app.SingleSignOnAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "csp",
    "mozilla_django_oidc",
    "rest_framework",
    "import_export",  # example
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "sso_project.observability.request_log.RequestLogMiddleware",
    "sso_project.middleware.LanguageMiddleware",
    "sso_project.middleware.ForwardedSchemeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "sso_project.request_guard.RefusalMiddleware",
    "sso_project.middleware.StaticFilesMiddleware",
    "sso_project.middleware.ContentSecurityPolicyMiddleware",
    "sso_project.middleware.CanonicalHostMiddleware",
    "accounts.middleware.PrivateResponseMiddleware",
    "sso_project.middleware.SessionsMiddleware",
    "sso_project.middleware.RefuseNulMiddleware",
    "django.middleware.common.CommonMiddleware",
    "sso_project.file_uploads.FileUploadMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.SignInMiddleware",
    "sso_project.middleware.MessagesMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "sso_project.template_loader.Loader",
                    [
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "sso_project.context_processors.site",
            ],
        },
    },
]

FORM_RENDERER = "sso_project.form_renderer.FormRenderer"

STATIC_URL = "static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "sso_project.static_files.ApplicationsFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        # Hashed names need `collectstatic`, which does not run in development.
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG

if SPA_COMPAT:
    MIDDLEWARE.append("accounts.api.spa_compat.RefreshedTokensMiddleware")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.spa_compat.SpaAuthentication"
        if SPA_COMPAT
        else "accounts.authentication.CognitoAuthentication",
        "accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": [
        "accounts.api.parsers.SafeJSONParser",
        "rest_framework.parsers.FormParser",
    ],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "sso_project.api.renderers.SafeBrowsableAPIRenderer",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "sso_project.api.renderers.ContentNegotiation",
    "DEFAULT_SCHEMA_CLASS": "sso_project.api.schema.SiteSchema",
    "VIEW_NAME_FUNCTION": "sso_project.api.view_names.view_name",
    "EXCEPTION_HANDLER": "accounts.api.exception_handler.exception_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": f"{SITE_NAME} API",
    "VERSION": "1",
    "DESCRIPTION": "Send an access token of the user pool: `Authorization: Bearer …`. The body of "
    "every error is the component `Error`. A browser that prefers HTML gets a page in its place. "
    "Paths work with and without a trailing slash. If an object in a body has a member twice, the "
    "last one counts.",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "PREPROCESSING_HOOKS": ["sso_project.api.docs.api_endpoints_only"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "sso_project.api.docs.describe_server",
    ],
    "TAGS": [
        {"name": "stats", "description": "The value of a KPI in a month."},  # example
        {"name": "user", "description": "The caller."},
        {"name": "auth", "description": "Tokens for apps that sign users in themselves."},
        {"name": "info", "description": "The server."},
    ],
}

# --- Database and cache ---------------------------------------------------------------------------

# One SQLite file per pool, so that users of two pools are never mixed.
_pool_id = str(COGNITO["POOL_ID"])
_file_name = _pool_id if re.fullmatch(r"[\w-]{1,55}", _pool_id) else "db"
DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{LOCAL_DIR / _file_name}.sqlite3")}
# Connections are reused, because opening one takes longer than most requests, even on SQLite.
DATABASES["default"]["CONN_MAX_AGE"] = env.number("DATABASE_CONN_MAX_AGE", 60)
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    Path(DATABASES["default"]["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    # Writers wait instead of failing: the lock is taken when a transaction begins. Readers never
    # wait for it (write-ahead log). The larger page cache makes lists in another order faster.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
        "PRAGMA cache_size=-4000;",
    }
else:
    # Connections are checked before use, so that the site needs no restart after an outage.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # No transaction is open while a request waits for Cognito.
    DATABASES["default"]["ATOMIC_REQUESTS"] = False
    if "postgresql" in DATABASES["default"]["ENGINE"]:
        options = DATABASES["default"].setdefault("OPTIONS", {})
        # A database host that loses power does not close its connections. With these limits, a
        # request fails after seconds instead of waiting without end.
        options.setdefault("connect_timeout", 3)  # seconds
        options.setdefault("tcp_user_timeout", 3_000)  # milliseconds
        options.setdefault("keepalives_idle", 10)  # seconds
        options.setdefault("keepalives_interval", 5)  # seconds
        if pool_size := env.number("DATABASE_POOL_SIZE", 0):
            from .postgresql import pool_options

            options["pool"] = pool_options(pool_size)
            # This backend checks connections itself.
            pooled = {"ENGINE": "sso_project.postgresql", "CONN_HEALTH_CHECKS": False}
            DATABASES["default"].update(pooled, CONN_MAX_AGE=0)

# Redis or Valkey. Only accounts.provider.shared_cache uses it, and the site works without it.
REDIS_URL = env.redis("REDIS_URL")
CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
if REDIS_URL:
    # Imported only if needed, because the import is slow.
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    CACHES["default"] = {
        "BACKEND": "sso_project.cache.JSONRedisCache",
        "LOCATION": REDIS_URL,
        # A slow cache is worse than none. The retry is for a connection that the server closed.
        "OPTIONS": {
            "socket_connect_timeout": 0.25,
            "socket_timeout": 0.25,
            "retry": Retry(NoBackoff(), 1),
        },
    }
    COGNITO["SHARED_CACHE"] = "default"

# --- Request bodies ------------------------------------------------------------------------------

DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# For the paths that match this regular expression. deploy/nginx.conf.template has the same paths.
MAX_LARGE_BODY_BYTES = 12 * 1024 * 1024
LARGE_BODY_PATHS = "(?!)"  # none
LARGE_BODY_PATHS = "/(api/)?stats/bulk/?|/admin/stats/stat/import/"  # example
# Views that accept files, and the permissions that staff need for them. Files are kept in memory.
FILE_UPLOAD_VIEWS: dict[str, tuple[str, ...]] = {}
FILE_UPLOAD_VIEWS["admin:stats_stat_import"] = ("stats.add_stat", "stats.change_stat")  # example
FILE_UPLOAD_HANDLERS = ["sso_project.file_uploads.RefuseFiles"]
FILE_UPLOAD_MAX_MEMORY_SIZE = MAX_LARGE_BODY_BYTES
IMPORT_EXPORT_TMP_STORAGE_CLASS = "stats.upload_storage.DatabaseStorage"  # example

# --- Cookies and headers --------------------------------------------------------------------------

_cookie_prefix = "__Host-" if HTTPS else ""
if "session_absolute" in COGNITO["LIMITS"]:  # its default is Django's own
    SESSION_COOKIE_AGE = COGNITO["LIMITS"]["session_absolute"]
SESSION_COOKIE_NAME = f"{_cookie_prefix}sessionid"
CSRF_COOKIE_NAME = f"{_cookie_prefix}csrftoken"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
MESSAGE_STORAGE = "sso_project.message_storage.MessageStorage"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = False  # our scripts read it and send it as a header
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_NAME = f"{_cookie_prefix}language"
LANGUAGE_COOKIE_AGE = 31_536_000  # a year
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
SECURE_HSTS_SECONDS = env.number("SECURE_HSTS_SECONDS", 31_536_000 if HTTPS else 0)
SECURE_SSL_REDIRECT = HTTPS and not DEBUG
# Subdomains and preloading: the owner of the domain decides, not this site.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CORS_ALLOWED_ORIGINS = env.items(
    "CORS_ALLOWED_ORIGINS",
    ("http://localhost:3000", "http://localhost:3001") if DEBUG else (),
)
if CORS_ALLOWED_ORIGINS:
    _refusals = MIDDLEWARE.index("sso_project.request_guard.RefusalMiddleware")
    MIDDLEWARE.insert(_refusals, "corsheaders.middleware.CorsMiddleware")
CORS_URLS_REGEX = r"^/api/.*$"
# The response headers that docs/api.md documents for clients.
CORS_EXPOSE_HEADERS = ["Allow", "Content-Disposition", "ETag", "Location", "Retry-After"]
CORS_EXPOSE_HEADERS += ["WWW-Authenticate", "X-Request-ID"]
CORS_ALLOW_HEADERS = [*default_headers, "if-match", "if-none-match"]
if SPA_COMPAT:
    CORS_URLS_REGEX = r"^/(api/.*|auth/(get-tokens|sign-out)/?|user/?|stats(/.*)?|info/server/?)$"
    CORS_ALLOW_HEADERS += ["x-access-token", "x-refresh-token"]
    CORS_EXPOSE_HEADERS += ["X-Access-Token", "X-Refresh-Token"]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": (SELF,),  # the middleware adds the hosted UI
    }
}

# --- Logging --------------------------------------------------------------------------------------

LOG_FORMAT = env.choice("LOG_FORMAT", "text" if DEBUG else "json", ("text", "json"))
DEFAULT_EXCEPTION_REPORTER = "accounts.core.masking.MaskingExceptionReporter"
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "shorten_outages": {"()": "sso_project.observability.log_filters.ShortenOutages"},
        "mask_secrets": {"()": "accounts.core.masking.MaskSecrets"},
        "skip_handled_503": {"()": "sso_project.observability.log_filters.SkipHandled503"},
        "drop_traceback": {"()": "sso_project.observability.log_filters.DropTraceback"},
    },
    "formatters": {
        "json": {"()": "sso_project.observability.json_logs.JSONFormatter"},
        "line": {"format": "{asctime} app   {message}", "style": "{", "datefmt": "%H:%M:%S"},
        "named": {
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
            "datefmt": "%Y-%m-%dT%H:%M:%S%z",
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "json" if LOG_FORMAT == "json" else "line" if DEBUG else "named",
            "filters": ["shorten_outages", "mask_secrets"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # No warning for each 4xx: the attempt log holds those that matter.
        "django.request": {"level": "ERROR", "filters": ["skip_handled_503"]},
        "django.security.DisallowedHost": {"filters": ["drop_traceback"]},
        "botocore": {"level": "WARNING"},  # INFO logs the source of the credentials at each call
        "django.server": {"level": "WARNING", "propagate": True, "handlers": []},
    },
}
