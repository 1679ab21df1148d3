from django.apps import AppConfig
from django.db.models.signals import post_migrate


class StatsConfig(AppConfig):
    name = "stats"
    verbose_name = "Stats"

    def ready(self) -> None:
        from .groups import make_editors

        post_migrate.connect(make_editors, sender=self, dispatch_uid="stats.make_editors")
