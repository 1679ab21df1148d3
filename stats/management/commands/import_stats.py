from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from stats.cleaning import RowErrors, UnreadableFile, clean_figures
from stats.files import read_rows
from stats.management.progress import Progress
from stats.writing import Author, Written, upsert

MAX_ROWS = 1_000_000
MOST_SENTENCES = 50  # mistakes that are named; the rest is counted


class Command(BaseCommand):
    help = (
        "Load figures from a CSV or XLSX with the columns kpi, year, month and value. All of it or "
        "nothing; a second run changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--dry-run", action="store_true", help="Check the file and write nothing."
        )

    def handle(self, *args: Any, file: Path, dry_run: bool, **options: Any) -> None:
        try:
            with file.open("rb") as content:
                figures = clean_figures(read_rows(content, MAX_ROWS))
        except OSError as error:
            reason = error.strerror or error
            raise CommandError(f"{file} can't be read: {reason}. Nothing was written.") from error
        except UnreadableFile as error:
            raise CommandError(f"{file.name}: {error} Nothing was written.") from error
        except RowErrors as error:
            raise CommandError(self._report(error)) from error
        if dry_run:
            self.stdout.write(f"{len(figures):,} rows are in order. Nothing was written.")
            return
        progress = Progress(self.stdout, len(figures), quiet=options["verbosity"] == 0)
        written = Written()
        with transaction.atomic():
            for written in upsert(figures, Author(None, "import_stats")):
                progress.show(written.created + written.updated + written.unchanged)
        progress.end()
        if options["verbosity"] > 0:
            self.stdout.write(
                f"{len(figures):,} rows: {written.created:,} added, {written.updated:,} changed, "
                f"{written.unchanged:,} as they were."
            )

    def _report(self, error: RowErrors) -> str:
        sentences = list(error.sentences())
        lines = sentences[:MOST_SENTENCES]
        if len(sentences) > len(lines):
            lines.append(f"… and {len(sentences) - len(lines):,} more.")
        count = len(error.rows)
        lines.append(f"{count:,} row{' is' if count == 1 else 's are'} wrong. Nothing was written.")
        return "\n".join(lines)
