"""The project's own pages: the landing page and what the server says about itself."""

import platform
from typing import Any

import django
from django.conf import settings
from django.views.generic import TemplateView
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class ServerInfoSerializer(serializers.Serializer[dict[str, str]]):
    """What runs here."""

    swagger = serializers.CharField(help_text="The path of the API's documentation.")
    framework = serializers.CharField()
    version = serializers.CharField()
    language = serializers.CharField()
    repo = serializers.CharField()


class HomeView(TemplateView):
    """Explains the app and offers to sign in, or the way on; always 200."""

    template_name = "home.html"


def server_info() -> dict[str, str]:
    """Return five strings about this server: `swagger`, `framework`, `version`, `language`, `repo`.

    Anyone may read them, so they do not say which patch release runs here. Staff find that on the
    admin's first page.
    """
    return {
        "swagger": "/docs",
        "framework": "Django",
        "version": ".".join(map(str, django.VERSION[:2])),
        "language": "Python " + ".".join(platform.python_version_tuple()[:2]),
        "repo": settings.REPO,
    }


class ServerInfoApiView(APIView):
    """Server info; public, and deaf to tokens: a stale one must not keep it from answering."""

    name = "Server info"
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="get_server_info", responses=ServerInfoSerializer, auth=[])
    def get(self, request: Request) -> Response:
        return Response(server_info())


class ServerInfoView(TemplateView):
    """Server info as a page; public, like its twin in the API."""

    template_name = "server_info.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        server = server_info()
        rows = [
            ("Framework", f"{server['framework']} {server['version']}"),
            ("Language", server["language"]),
            ("Source code", server["repo"]),
        ]
        return super().get_context_data(**kwargs, server={**server, "rows": rows})
