"""The project as an application, for its commands and system checks."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "sso_project"
    verbose_name = "Project"

    def ready(self) -> None:
        from accounts.core import metrics

        from . import checks, deploy_checks  # noqa: F401 (registers them)
        from .observability.metrics import PrometheusSink

        metrics.install(PrometheusSink())
