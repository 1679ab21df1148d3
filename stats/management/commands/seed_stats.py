import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from stats.demo import demo_figures, figures
from stats.management.progress import Progress
from stats.models import Stat
from stats.months import add_months, parse_month
from stats.writing import batches, load_stored


class Command(BaseCommand):
    help = (
        "Add the demo figures: revenue, profit and cost of the last three years. Existing figures "
        "are not changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rows",
            type=int,
            metavar="N",
            help="add N figures for a load test: the demo figures, then generated ones",
        )

        parser.add_argument(
            "--until",
            metavar="YYYY-MM",
            help="the last month of the demo figures (default: the month before this one)",
        )

    def handle(
        self, *args: Any, rows: int | None = None, until: str | None = None, **options: Any
    ) -> None:
        if rows is not None and rows < 0:
            raise CommandError("--rows must be 0 or more.")
        last = _last_month(until)
        demo = list(demo_figures(last))
        count = len(demo) if rows is None else rows
        progress = Progress(self.stdout, count, quiet=options["verbosity"] == 0)
        added = done = 0
        with transaction.atomic():
            for batch in batches(figures(last, rows)):
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
            first = demo[0]
            months = f"{first.year}-{first.month:02d} to {last:%Y-%m}"
            kind = f"demo figures: revenue, profit and cost, {months}"
            self.stdout.write(
                f"Added {added:,} {kind if rows is None else 'figures'}."
                if added
                else "The figures already exist. Nothing was changed."
            )


def _last_month(until: str | None) -> datetime.date:
    """Return the first day of `until`, or of the previous month.

    Raises CommandError if `until` is not a month.
    """
    today = timezone.localdate()
    month = add_months(today.year, today.month, -1) if until is None else parse_month(until)
    if month is None:
        raise CommandError(f"--until {until} is not a month. Enter it like 2021-12.")
    return datetime.date(*month, 1)
