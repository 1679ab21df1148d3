"""The settings of the tests: development values, independent of the environment.

Only `DATABASE_URL` and `REDIS_URL` are read from the environment, to run the tests on PostgreSQL
and Redis.
"""

import os

_project_prefixes = (
    "COGNITO_",
    "POOL_",
    "SPA_",
    "SECRET_KEY",
    "TOKEN_",
    "TRUSTED_",
    "CORS_",
    "SITE_",
    "SESSION_",
    "SIGN_IN_",
    "BREAK_GLASS_",
    "WEB_",
    "DATABASE_C",
    "DATABASE_P",
    "LAMBDA_",
)
_contract = "COGNITO_CONTRACT_"  # names the pool that tests/local_pool/contract checks
for _name in [name for name in os.environ if name.startswith(_project_prefixes)]:
    if not _name.startswith(_contract):
        del os.environ[_name]
for _name in ("PORT", "ALLOWED_HOSTS", "REPO", "SECURE_HSTS_SECONDS", "LOG_FORMAT", "BIND"):
    os.environ.pop(_name, None)

os.environ.update(
    ENV_FILE=os.devnull,
    DEBUG="1",
    SECRET_KEY="tests-only-secret-key-that-signs-nothing-of-worth-0123456789",
    PUBLIC_URL="http://localhost:8000",
    # No pool runs here. Tests that use one start their own (tests/flows).
    COGNITO_POOL_ID="local-1_TestPool1",
    COGNITO_CLIENT_ID="4testwebclient5suite6only7",
    COGNITO_CLIENT_SECRET="tests-only-client-secret-0123456789",
    COGNITO_CLIENT_DOMAIN="http://localhost:1",
    COGNITO_ISSUER="http://localhost:1/local-1_TestPool1",
)

from sso_project.settings import *  # noqa: E402, F403
from sso_project.settings import (  # noqa: E402
    CACHES,
    DATABASES,
    INSTALLED_APPS,
    LOCAL_DIR,
    MIDDLEWARE,
)

INSTALLED_APPS = [
    *INSTALLED_APPS,
    "tests.host",
]  # models of a host project, with foreign keys to users

MIDDLEWARE = ["tests.api_document.DocumentedResponses", *MIDDLEWARE]

# A file, because servers under test run in threads with their own connections. It has the process
# ID in its name, so that concurrent runs do not share it.
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["TEST"] = {"NAME": str(LOCAL_DIR / f"test-{os.getpid()}.sqlite3")}
else:
    DATABASES["default"]["TEST"] = {"NAME": f"test_{os.getpid()}"}
# Threads of servers under test close their connections, so that the database can be dropped.
DATABASES["default"]["CONN_MAX_AGE"] = 0

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# On a busy machine, the timeouts of production would disable the cache and fail unrelated tests.
CACHES["default"].get("OPTIONS", {}).update(socket_connect_timeout=60, socket_timeout=60)

MAILERS = {"default": {}}  # Django 6.1 warns when mail is sent without this setting
