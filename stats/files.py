"""Read a file of figures, CSV or XLSX, for the admin's import and for `import_stats` alike."""

import re
from collections.abc import Iterator, Mapping
from typing import IO

from accounts.core.csv_cells import unescape_formula

from .cleaning import FIELDS, UnreadableFile
from .delimited import delimited_rows
from .numbers import MAX_NUMBER_LENGTH
from .xlsx import xlsx_rows

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"  # the first bytes of an XLSX and of an XLS
_LIKE_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}", re.ASCII)
_MAX_HEADINGS_SHOWN = 8


def read_rows(file: IO[bytes], max_rows: int) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows that hold something: their number, 1 below the headings, and texts by column.

    The content decides which format it is. An empty cell is left out, and a text without a heading
    in a CSV is there as "column 5", since it may be a half of a number with a decimal comma.

    Raises:
        UnreadableFile: another format, encoding or other columns, more than `max_rows` rows, or
            a number that can be read in two ways.
    """
    start = file.read(4)
    file.seek(0)
    if start == _OLE:
        raise UnreadableFile(
            "This is an XLS or a workbook with a password. Save it as XLSX without a password."
        )
    if start == _ZIP:
        separator, rows = ",", xlsx_rows(file, max_rows)
    else:
        separator, rows = delimited_rows(file)
    headings_at, headings = next(rows, (0, {}))
    names = _columns(headings)
    count = 0
    for number, cells in rows:
        if not cells:
            continue
        count += 1
        if count > max_rows:
            raise UnreadableFile(f"A file may have {max_rows:,} rows; this one has more. Split it.")
        yield number - headings_at, _named(names, cells, separator, number - headings_at)
    if not count:
        raise UnreadableFile("This file has no rows below the headings.")


def _columns(headings: Mapping[int, str]) -> dict[int, str]:
    names = {column: text.strip() for column, text in headings.items()}
    if sorted(names.values()) != sorted(FIELDS):
        shown = [text[:64] for text in names.values()]
        if len(shown) > _MAX_HEADINGS_SHOWN:
            shown[_MAX_HEADINGS_SHOWN:] = ["…"]
        raise UnreadableFile(
            f"The first row must name the columns {', '.join(FIELDS)}; it names "
            f"{', '.join(shown) or 'none'}."
        )
    return names


def _named(
    names: Mapping[int, str], cells: Mapping[int, str], separator: str, number: int
) -> dict[str, str]:
    row = {names.get(column, f"column {column}"): text for column, text in cells.items()}
    if "kpi" in row:
        row["kpi"] = unescape_formula(row["kpi"])
    if "value" in row and separator != ",":
        row["value"] = _with_point(row["value"].strip(), separator, number)
    return row


def _with_point(text: str, separator: str, number: int) -> str:
    """Return a number with a decimal point; other texts as they are.

    Where semicolons separate, a comma is the decimal comma and a point may group thousands. Tabs
    tell neither.
    """
    if len(text) > MAX_NUMBER_LENGTH:
        return text
    if _LIKE_THOUSANDS.fullmatch(text) and (separator == "\t" or "." in text):
        raise UnreadableFile(
            f"Row {number}, value: {text} can be read as thousands or with three decimals. Save "
            "the file as XLSX, or separated by commas and with a point before the decimals."
        )
    return text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
