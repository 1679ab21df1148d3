"""Read CSV files of spreadsheets: with commas, semicolons or tabs, in UTF-8 or UTF-16."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import IO

from django.utils.translation import gettext as _

from .cleaning import FIELDS, UnreadableFile
from .templatetags.figures import thousands

MAX_LINE_LENGTH = 65_536  # characters
_SEPARATOR_LINE = re.compile(r"sep=([,;\t])", re.IGNORECASE)  # an optional first line for Excel


def delimited_rows(file: IO[bytes]) -> tuple[str, Iterator[tuple[int, dict[int, str]]]]:
    """Return the separator, and an iterator of row numbers with the texts of the row by column.

    Rows, including blank ones, and columns are counted from 1. The first row holds the headings.
    Blank lines above it are skipped.

    Raises:
        UnreadableFile: the file has another encoding, a very long line or unbalanced quotes. The
            iterator raises it too.
    """
    lines = _lines(file)
    number, separator, heading = 0, "", ""
    for line in lines:
        number += 1
        if match := _SEPARATOR_LINE.fullmatch(line.strip("\r\n ")):
            separator = match[1]
        elif line.strip(" ,;\t\r\n"):
            heading = line
            break
    separator = separator or _separator(heading)
    return separator, _rows(number, heading, lines, separator)


def _rows(
    number: int, heading: str, lines: Iterator[str], separator: str
) -> Iterator[tuple[int, dict[int, str]]]:
    yield number, _cells(next(csv.reader([heading], delimiter=separator), []))
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        number += 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            values = {"number": reader.line_num + 1, "error": error}
            raise UnreadableFile(_("Line %(number)d is not CSV: %(error)s.") % values) from error
        if cells is None:
            return
        yield number, _cells(cells)


def _lines(file: IO[bytes]) -> Iterator[str]:
    start = file.read(2)
    file.seek(0)
    encoding = "utf-16" if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
    try:
        with io.TextIOWrapper(file, encoding, newline="") as text:
            number = 0
            while line := text.readline(MAX_LINE_LENGTH + 1):
                number += 1
                if len(line) > MAX_LINE_LENGTH:
                    message = _("Line %(number)d has more than %(count)s characters.")
                    values = {"number": number, "count": thousands(MAX_LINE_LENGTH)}
                    raise UnreadableFile(message % values)
                yield line
    except UnicodeError as error:
        raise UnreadableFile(
            _("This file isn't written in UTF-8. Save it as “CSV UTF-8” and try again.")
        ) from error


def _cells(cells: list[str]) -> dict[int, str]:
    return {column: text for column, text in enumerate(cells, start=1) if text.strip()}


def _separator(heading: str) -> str:
    """Return the separator that yields the most column names."""

    def names(separator: str) -> int:
        cells = next(csv.reader([heading], delimiter=separator), [])
        return len({cell.strip() for cell in cells} & set(FIELDS))

    return max(",;\t", key=names)
