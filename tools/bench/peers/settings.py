"""The settings of `django-admin startproject` and of the peers' documentation."""

import os

import environ

from sso_project.settings import COGNITO

# Our database, with Django's default of one connection per request.
DATABASES = {"default": environ.Env().db("DATABASE_URL")}
SECRET_KEY = os.environ["SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "tools.bench.peers.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"
USE_TZ = True
AUTH_USER_MODEL = "peers.Person"

INSTALLED_APPS = [
    "tools.bench.peers",
    "stats",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "mozilla_django_oidc",
    "rest_framework",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}
LOGGING_CONFIG = None  # no request log, which is less work than ours

# django-cognito-jwt
COGNITO_AWS_REGION = COGNITO["CLIENT_REGION"]
COGNITO_USER_POOL = COGNITO["POOL_ID"]
COGNITO_ISSUER = COGNITO["ISSUER"][0]  # for validator.py
COGNITO_AUDIENCE = COGNITO["CLIENT_ID"]
COGNITO_PUBLIC_KEYS_CACHING_ENABLED = True
COGNITO_PUBLIC_KEYS_CACHING_TIMEOUT = 60 * 60 * 24

# mozilla-django-oidc
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "mozilla_django_oidc.auth.OIDCAuthenticationBackend",
]
OIDC_RP_CLIENT_ID = COGNITO["CLIENT_ID"]
OIDC_RP_CLIENT_SECRET = COGNITO["CLIENT_SECRET"]
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_USE_PKCE = True
OIDC_OP_AUTHORIZATION_ENDPOINT = f"{COGNITO['CLIENT_DOMAIN']}/oauth2/authorize"
OIDC_OP_JWKS_ENDPOINT = f"{COGNITO_ISSUER}/.well-known/jwks.json"
OIDC_OP_TOKEN_ENDPOINT = f"{COGNITO['CLIENT_DOMAIN']}/oauth2/token"
OIDC_OP_USER_ENDPOINT = os.environ["BENCH_USERINFO"]
