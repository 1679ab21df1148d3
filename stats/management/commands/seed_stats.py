from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from stats.demo import demo_figures, figures
from stats.management.progress import Progress
from stats.models import Stat
from stats.writing import batches, load_stored


class Command(BaseCommand):
    help = (
        "Add the demo figures: revenue, profit and cost, 2019 to 2021. Existing figures are not "
        "changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rows",
            type=int,
            metavar="N",
            help="add N figures for a load test: the demo figures, then generated ones",
        )

    def handle(self, *args: Any, rows: int | None = None, **options: Any) -> None:
        if rows is not None and rows < 0:
            raise CommandError("--rows must be 0 or more.")
        count = len(list(demo_figures())) if rows is None else rows
        progress = Progress(self.stdout, count, quiet=options["verbosity"] == 0)
        added = done = 0
        with transaction.atomic():
            for batch in batches(figures(rows)):
                stored = load_stored(batch)
                missing = [
                    Stat(kpi=figure.kpi, year=figure.year, month=figure.month, value=figure.value)
                    for figure in batch
                    if figure.key not in stored
                ]
                # A concurrent run may have added some of them in the meantime.
                Stat.objects.bulk_create(missing, ignore_conflicts=True)
                added, done = added + len(missing), done + len(batch)
                progress.show(done)
        progress.end()
        if options["verbosity"] > 0:
            kind = "demo figures: revenue, profit and cost, 2019 to 2021"
            self.stdout.write(
                f"Added {added:,} {kind if rows is None else 'figures'}."
                if added
                else "The figures already exist. Nothing was changed."
            )
