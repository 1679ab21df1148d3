"""Read a CSV or XLSX file of figures, for the admin's import and for `import_stats`."""

import re
from collections.abc import Iterator, Mapping
from typing import IO

from django.utils.translation import gettext as _

from accounts.core.csv_cells import unescape_formula

from .cleaning import FIELDS, UnreadableFile
from .delimited import delimited_rows
from .exact_numbers import MAX_NUMBER_LENGTH
from .templatetags.figures import thousands
from .xlsx import xlsx_rows

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"  # the first bytes of an XLSX and of an XLS
_LIKE_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}", re.ASCII)
_MAX_HEADINGS_SHOWN = 8


def read_rows(file: IO[bytes], max_rows: int) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row that is not empty: its number, from 1 below the headings, and texts by column.

    The content of the file determines the format. Empty cells are left out. A CSV text without a
    heading has the name "column 5": it can be the second half of a number with a decimal comma.

    Raises:
        UnreadableFile: the format, encoding or columns are not supported, there are more than
            `max_rows` rows, or a number is ambiguous.
    """
    start = file.read(4)
    file.seek(0)
    if start == _OLE:
        raise UnreadableFile(
            _("This is an XLS file or has a password. Save it as XLSX without a password.")
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
            message = _("This file has more than %(count)s rows. Split it.")
            raise UnreadableFile(message % {"count": thousands(max_rows)})
        yield number - headings_at, _to_row(names, cells, separator, number - headings_at)
    if not count:
        raise UnreadableFile(_("This file has no rows below the headings."))


def _columns(headings: Mapping[int, str]) -> dict[int, str]:
    names = {column: text.strip() for column, text in headings.items()}
    if sorted(names.values()) != sorted(FIELDS):
        shown = [text[:64] for text in names.values()]
        if len(shown) > _MAX_HEADINGS_SHOWN:
            shown[_MAX_HEADINGS_SHOWN:] = ["…"]
        message = _("The first row must hold the columns %(columns)s. It holds %(shown)s.")
        values = {"columns": ", ".join(FIELDS), "shown": ", ".join(shown) or _("none")}
        raise UnreadableFile(message % values)
    return names


def _to_row(
    names: Mapping[int, str], cells: Mapping[int, str], separator: str, number: int
) -> dict[str, str]:
    texts = {names.get(column, f"column {column}"): text for column, text in cells.items()}
    if "kpi" in texts:
        texts["kpi"] = unescape_formula(texts["kpi"])
    if "value" in texts and separator != ",":
        texts["value"] = _with_point(texts["value"].strip(), separator, number)
    return texts


def _with_point(text: str, separator: str, number: int) -> str:
    """Return a number with a decimal point, and any other text unchanged.

    If semicolons separate the columns, a comma is a decimal comma, and a point can separate
    thousands. With tabs, both can mean either.
    """
    if len(text) > MAX_NUMBER_LENGTH:
        return text
    if _LIKE_THOUSANDS.fullmatch(text) and (separator == "\t" or "." in text):
        message = _(
            "Row %(number)d, value: %(text)s is ambiguous: it has thousands or three decimals."
            " Save the file as XLSX, or as CSV with commas and with a point before the decimals."
        )
        raise UnreadableFile(message % {"number": number, "text": text})
    return text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
