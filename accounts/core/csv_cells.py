"""CSV that a spreadsheet program opens as text and does not run as formulas.

https://owasp.org/www-community/attacks/CSV_Injection
"""

import csv
import re
from collections.abc import Callable, Iterable
from typing import Any

BYTE_ORDER_MARK = "\ufeff"  # without it, Excel reads a CSV in the legacy encoding of its locale
FORMULA_SIGNS = (
    *("=", "+", "-", "@", "\t", "\r", "\n"),
    *("\uff1d", "\uff0b", "\uff0d", "\uff20"),  # full-width = + - @
    *("\ufe66", "\ufe62", "\ufe63", "\ufe6b"),  # small = + - @
)
# Which separator a program expects is unknown, so a cell may begin after any of them. Programs skip
# quotes, spaces and invisible characters. None of these is a separator, so the search is linear.
_BEGINNING = r"(?:^|(?<=[,;\t\r\n]))"
_FORMULA = (
    r"(?=(?:[\"'\x00-\x08\x0e-\x1f\x7f\u200b-\u200f\u2060\ufeff]|[^\S\t\r\n])*"
    rf"[{re.escape(''.join(FORMULA_SIGNS))}])"
)
_SEPARATOR = re.compile(r"[,;\t\r\n]")
_UNSAFE = re.compile(_BEGINNING + _FORMULA)
_ESCAPED = re.compile(_BEGINNING + "'" + _FORMULA)


def escape_formula(text: str) -> str:
    """Return the text with an apostrophe before each part that a spreadsheet could run.

    That is the beginning, and what follows a comma, a semicolon, a tab or a line break.
    """
    if text[:1].isalnum() and not _SEPARATOR.search(text):
        return text  # a fast path: most cells of a long export are harmless
    return _UNSAFE.sub("'", text)


def unescape_formula(text: str) -> str:
    """Return the text that `escape_formula` was given."""
    return _ESCAPED.sub("", text)


def csv_writer() -> Callable[[Iterable[Any]], str]:
    """Return a function that formats one row as a line of CSV.

    Texts are escaped, numbers stay numbers, and None is an empty cell.
    """
    write: Callable[[list[Any]], str] = csv.writer(Echo()).writerow
    return lambda cells: write(
        [escape_formula(cell) if isinstance(cell, str) else cell for cell in cells]
    )


class Echo:
    """A file whose `write` returns the text, so that each line can be streamed."""

    def write(self, text: str) -> str:
        return text
