"""The project's own pages: the landing page and the server info, and the choice of a language."""

import platform
from typing import Any

import django
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from django.views.generic import TemplateView
from django.views.i18n import set_language
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.sessions.own_origin import is_own_post


class ServerInfoSerializer(serializers.Serializer[dict[str, str]]):
    """The software versions and the source of this site."""

    swagger = serializers.CharField(help_text="The path of the API's documentation.")
    framework = serializers.CharField()
    version = serializers.CharField()
    language = serializers.CharField()
    repo = serializers.CharField()


class HomeView(TemplateView):
    """The landing page, with a link to sign in or to continue."""

    template_name = "home.html"


def server_info() -> dict[str, str]:
    """Return five strings about this server: `swagger`, `framework`, `version`, `language`, `repo`.

    They are public, so they do not include patch releases. Staff find those on the first page of
    the admin.
    """
    return {
        "swagger": "/docs",
        "framework": "Django",
        "version": ".".join(map(str, django.VERSION[:2])),
        "language": "Python " + ".".join(platform.python_version_tuple()[:2]),
        "repo": settings.REPO,
    }


class ServerInfoApiView(APIView):
    """Server info as JSON. It is public and ignores tokens, so an expired one causes no 401."""

    name = "Server info"
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="get_server_info",
        summary="Read the versions of this server",
        responses=ServerInfoSerializer,
    )
    def get(self, request: Request) -> Response:
        return Response(server_info())


class ServerInfoView(TemplateView):
    """Server info as a page, also public."""

    template_name = "server_info.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        server = server_info()
        properties = [
            (_("Framework"), f"{server['framework']} {server['version']}"),
            (_("Language"), server["language"]),
            (_("Source code"), server["repo"]),
        ]
        return super().get_context_data(**kwargs, server={**server, "rows": properties})


@csrf_exempt
@require_POST
def choose_language(request: HttpRequest) -> HttpResponseBase:
    """Store the chosen language in a cookie, and return to the page.

    The form is on every page. With a form token it would set a cookie, and forbid caching.
    """
    if not is_own_post(request):
        raise PermissionDenied
    return set_language(request)
