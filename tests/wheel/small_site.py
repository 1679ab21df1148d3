"""A site in one process, for scripts that run in an environment with the wheel.

The settings are those of docs/adopt.md, and the pool is the fake of the test kit. A script can
change the settings before it calls `start`.
"""

import sys
import types

DJANGO = "django.contrib."
SETTINGS = {
    "SECRET_KEY": "x" * 50,
    "ROOT_URLCONF": "urls",
    "ALLOWED_HOSTS": ["*"],
    "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    "INSTALLED_APPS": [
        *(DJANGO + app for app in ("contenttypes", "auth", "sessions", "messages")),
        "cognito_sso",
    ],
    "MIDDLEWARE": [
        "cognito_sso.middleware.PrivateResponseMiddleware",
        f"{DJANGO}sessions.middleware.SessionMiddleware",
        f"{DJANGO}auth.middleware.AuthenticationMiddleware",
        f"{DJANGO}messages.middleware.MessageMiddleware",
        "cognito_sso.middleware.SignInMiddleware",
    ],
    "TEMPLATES": [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    "AUTHENTICATION_BACKENDS": ["cognito_sso.backends.CognitoBackend"],
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    "LOGIN_URL": "cognito_sso:login",
    "LOGIN_REDIRECT_URL": "/page",
    "COGNITO": {
        "POOL_ID": "eu-west-1_Ab1",
        "CLIENT_ID": "client",
        "CLIENT_SECRET": "secret-of-the-client",
        "CLIENT_DOMAIN": "example.auth.eu-west-1.amazoncognito.com",
        "PUBLIC_URL": "https://www.example.com",
        "TOKEN_ENCRYPTION_KEYS": ["A" * 43 + "="],
    },
}


def start(**settings):
    """Set Django up, create the tables, and return the list of URL patterns."""
    import django
    from django.conf import settings as django_settings

    django_settings.configure(**SETTINGS | settings)
    urls = sys.modules["urls"] = types.ModuleType("urls")
    urls.urlpatterns = []
    django.setup()
    from django.contrib.auth.decorators import login_required
    from django.core.management import call_command
    from django.http import HttpResponse
    from django.urls import include, path

    def page(request):
        return HttpResponse(f"page for {request.user.get_username()}")

    urls.urlpatterns += [path("page", login_required(page)), path("", include("cognito_sso.urls"))]
    call_command("migrate", verbosity=0, run_syncdb=True)
    return urls.urlpatterns


def api_of(urlpatterns, url="api"):
    """Add an API view with the default authentication classes of REST framework."""
    from django.urls import path
    from rest_framework.permissions import IsAuthenticated
    from rest_framework.response import Response
    from rest_framework.views import APIView

    class View(APIView):
        permission_classes = (IsAuthenticated,)

        def get(self, request):
            return Response(request.user.get_username())

    urlpatterns.append(path(url, View.as_view()))


def page_of(name, **options):
    """Sign in with the test kit, and return the page of the user."""
    from cognito_sso import testing  # it imports REST framework, which needs settings

    with testing.fake_cognito() as cognito:
        client = testing.signed_in(name, cognito=cognito, **options)
        return client.get("/page", secure=True).content.decode()
