"""The project's own pages: the landing page and what the server says about itself."""

import platform
from typing import Any

import django
from django.conf import settings
from django.views.generic import TemplateView


class HomeView(TemplateView):
    """Explains the app and offers to sign in, or the way on; always 200."""

    template_name = "home.html"


def server_info() -> dict[str, str]:
    """What runs here, five strings: `swagger`, `framework`, `version`, `language`, `repo`."""
    return {
        "swagger": "/docs",
        "framework": "Django",
        "version": django.get_version(),
        "language": f"Python {platform.python_version()}",
        "repo": settings.REPO,
    }


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
