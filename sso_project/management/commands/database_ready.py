"""`manage.py database_ready`: whether a server may start on this database."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sso_project.observability import health


class Command(BaseCommand):
    help = "Tell whether the database answers and is migrated; the exit status is 1 when not."
    requires_system_checks = ()

    def handle(self, **options: Any) -> None:
        finding = health.database()
        if not finding.ready:
            raise CommandError(f"The database isn't ready: {finding.state}")
