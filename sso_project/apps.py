"""The project itself as an application: its commands and its checks."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "sso_project"
    verbose_name = "Project"

    def ready(self) -> None:
        from . import checks  # noqa: F401 (registers them)
