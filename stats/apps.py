from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class StatsConfig(AppConfig):
    name = "stats"
    verbose_name = _("Stats")

    def ready(self) -> None:
        from .groups import create_editors_group

        post_migrate.connect(
            create_editors_group, sender=self, dispatch_uid="stats.create_editors_group"
        )
