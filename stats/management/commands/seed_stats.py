from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from stats.demo import demo_figures, figures
from stats.management.progress import Progress
from stats.models import Stat
from stats.writing import batches, stored_among


class Command(BaseCommand):
    help = "Add the demo figures (revenue, profit, cost; 2019 to 2021). Figures there stay as is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rows",
            type=int,
            metavar="N",
            help="N figures, to see what many do: the demo figures and made-up ones behind them.",
        )

    def handle(self, *args: Any, rows: int | None = None, **options: Any) -> None:
        if rows is not None and rows < 0:
            raise CommandError("--rows takes a number of rows, 0 or more.")
        wanted = len(list(demo_figures())) if rows is None else rows
        progress = Progress(self.stdout, wanted, quiet=options["verbosity"] == 0)
        added = seen = 0
        with transaction.atomic():
            for batch in batches(figures(rows)):
                present = stored_among(batch)
                missing = [
                    Stat(kpi=figure.kpi, year=figure.year, month=figure.month, value=figure.value)
                    for figure in batch
                    if figure.key not in present
                ]
                # Two runs at once: the second finds rows that it had not seen, and leaves them.
                Stat.objects.bulk_create(missing, ignore_conflicts=True)
                added, seen = added + len(missing), seen + len(batch)
                progress.show(seen)
        progress.end()
        if options["verbosity"] > 0:
            what = "demo figures: revenue, profit and cost, 2019 to 2021"
            self.stdout.write(
                f"Added {added:,} {what if rows is None else 'figures'}."
                if added
                else "The demo figures are there already; nothing changed."
            )
