from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from stats.demo import demo_stats
from stats.fields import kpi_key
from stats.models import Stat


class Command(BaseCommand):
    help = "Add the demo figures (revenue, profit, cost; 2019 to 2021). Figures there stay as is."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            present = set(Stat.objects.values_list("kpi_key", "year", "month"))
            missing = [
                stat
                for stat in demo_stats()
                if (kpi_key(stat.kpi), stat.year, stat.month) not in present
            ]
            # Two runs at once: the second finds rows that it had not seen, and leaves them.
            Stat.objects.bulk_create(missing, ignore_conflicts=True)
        if options["verbosity"] > 0:
            self.stdout.write(
                f"Added {len(missing)} demo figures: revenue, profit and cost, 2019 to 2021."
                if missing
                else "The demo figures are there already; nothing changed."
            )
