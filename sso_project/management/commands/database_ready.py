"""`manage.py database_ready`: check that a server can start on this database."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sso_project.observability import health


class Command(BaseCommand):
    help = "Check that the database responds and is migrated. If not, the exit status is 1."
    requires_system_checks = ()

    def handle(self, **options: Any) -> None:
        finding = health.database()
        if not finding.ready:
            raise CommandError(f"The database is not ready: {finding.state}")
