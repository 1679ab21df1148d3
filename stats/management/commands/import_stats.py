from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from stats.cleaning import RowErrors, UnreadableFile, clean_figures
from stats.files import read_rows
from stats.management.progress import Progress
from stats.writing import Author, WriteResult, upsert

MAX_ROWS = 1_000_000
MAX_ERRORS_SHOWN = 50


class Command(BaseCommand):
    help = (
        "Import figures from a CSV or XLSX file with the columns kpi, year, month and value. If a "
        "row is invalid, nothing is imported. A second import changes nothing."
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
            self.stdout.write(f"{len(figures):,} rows are valid. Nothing was written.")
            return
        progress = Progress(self.stdout, len(figures), quiet=options["verbosity"] == 0)
        result = WriteResult()
        with transaction.atomic():
            for result in upsert(figures, Author(None, "import_stats")):
                progress.show(result.created + result.updated + result.unchanged)
        progress.end()
        if options["verbosity"] > 0:
            self.stdout.write(
                f"{len(figures):,} rows: {result.created:,} added, {result.updated:,} changed, "
                f"{result.unchanged:,} unchanged."
            )

    def _report(self, error: RowErrors) -> str:
        sentences = list(error.sentences())
        lines = sentences[:MAX_ERRORS_SHOWN]
        if len(sentences) > len(lines):
            lines.append(f"… and {len(sentences) - len(lines):,} more.")
        count = len(error.errors_by_row)
        verb = " is" if count == 1 else "s are"
        lines.append(f"{count:,} row{verb} invalid. Nothing was written.")
        return "\n".join(lines)
