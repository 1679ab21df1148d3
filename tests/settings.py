"""The settings of the test run: development values, whatever the machine's environment says.

Only `DATABASE_URL` and `REDIS_URL` are taken from the environment, so that the same suite runs on
PostgreSQL and Redis.
"""

import os

_kept = {"DATABASE_URL", "REDIS_URL"}
_ours = (
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
for _name in [name for name in os.environ if name.startswith(_ours)]:
    if not _name.startswith(_contract):
        del os.environ[_name]
for _name in ("PORT", "ALLOWED_HOSTS", "REPO", "SECURE_HSTS_SECONDS", "LOG_FORMAT", "BIND"):
    os.environ.pop(_name, None)

os.environ.update(
    ENV_FILE=os.devnull,
    DEBUG="1",
    SECRET_KEY="tests-only-secret-key-that-signs-nothing-of-worth-0123456789",
    PUBLIC_URL="http://localhost:8000",
    # TEST-NET addresses of no pool: tests that talk to one start their own (tests/flows).
    COGNITO_POOL_ID="local-1_TestPool1",
    COGNITO_CLIENT_ID="4testwebclient5suite6only7",
    COGNITO_CLIENT_SECRET="tests-only-client-secret-0123456789",
    COGNITO_CLIENT_DOMAIN="http://localhost:1",
    COGNITO_ISSUER="http://localhost:1/local-1_TestPool1",
)

from sso_project.settings import *  # noqa: E402, F403
from sso_project.settings import CACHES, DATABASES, INSTALLED_APPS, LOCAL_DIR  # noqa: E402

INSTALLED_APPS = [*INSTALLED_APPS, "tests.host"]  # a host's own models, which point at people

# A file, not memory: servers under test run in threads with connections of their own. One for each
# process, so that two runs at once do not take it from each other.
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["TEST"] = {"NAME": str(LOCAL_DIR / f"test-{os.getpid()}.sqlite3")}
else:
    DATABASES["default"]["TEST"] = {"NAME": f"test_{os.getpid()}"}
# Threads of servers under test keep none: a database with visitors cannot be dropped.
DATABASES["default"]["CONN_MAX_AGE"] = 0

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# A crowded machine may be slower than production is allowed to be: leaving Redis alone for that
# would fail tests that have nothing to do with it.
CACHES["default"].get("OPTIONS", {}).update(socket_connect_timeout=5, socket_timeout=5)
