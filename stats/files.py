"""Reading a CSV or XLSX of figures row by row, so that a file of any length needs little memory."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from .rows import FIELDS


class UnreadableFile(Exception):
    """The file as a whole cannot be taken; the message says why and what to do."""


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Numbered rows (the first below the headings is 1) with the columns of FIELDS.

    Raises UnreadableFile: not there, in another encoding or format, other columns.
    """
    try:
        rows = _xlsx_rows(path) if path.suffix.lower() == ".xlsx" else _csv_rows(path)
        headers = [str(cell or "").strip() for cell in next(rows, [])]
        _check_headers(headers)
        for number, cells in enumerate(rows, start=1):
            if any(cell not in (None, "") for cell in cells):
                yield number, _named(headers, cells)
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            f"{path.name} isn't written in UTF-8 (byte {error.start}). Save it as “CSV UTF-8”."
        ) from error
    except OSError as error:
        raise UnreadableFile(f"{path} can't be read: {error.strerror or error}.") from error
    except csv.Error as error:
        raise UnreadableFile(f"{path.name} is no CSV: {error}.") from error


def _csv_rows(path: Path) -> Iterator[list[Any]]:
    # utf-8-sig: with or without the mark that spreadsheets put at the beginning.
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.reader(file, strict=True)


def _xlsx_rows(path: Path) -> Iterator[list[Any]]:
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except OSError:
        raise
    except Exception as error:  # a broken archive breaks it in many ways
        raise UnreadableFile(f"{path.name} is no XLSX.") from error
    try:
        for row in book.worksheets[0].iter_rows(values_only=True):
            yield list(row)
    finally:
        book.close()


def _check_headers(headers: list[str]) -> None:
    if len(headers) == 1 and ";" in headers[0]:
        raise UnreadableFile(
            "The columns are separated by semicolons. Save the file with commas, and with a point "
            "before the decimals."
        )
    if sorted(headers) != sorted(FIELDS):
        raise UnreadableFile(
            f"The first row must name the columns {', '.join(FIELDS)}; it names "
            f"{', '.join(headers) or 'none'}."
        )


def _named(headers: list[str], cells: list[Any]) -> dict[str, Any]:
    """The cells by column; what a row has too much stands under a name that no column has."""
    row = dict(zip(headers, cells, strict=False))
    if len(cells) > len(headers):
        row[f"column {len(headers) + 1}"] = cells[len(headers)]
    return row
