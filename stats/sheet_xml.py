"""Collect the texts of a worksheet and of its string table from XML events, up to limits."""

import re

from django.utils.translation import gettext as _

from .cleaning import UnreadableFile
from .templatetags.figures import thousands

MAX_CELL_LENGTH = 1024  # longer texts are truncated; the fields reject much shorter ones
MAX_HEADINGS = 64
_NUMBER = re.compile(r"-?[0-9]{1,32}(?:\.[0-9]{1,32})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})", re.ASCII)
_ROW = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)


class Handler:
    """A handler of XML events. Names of elements are local names."""

    def start(self, name: str, attributes: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def text(self, data: str) -> None: ...


class Elements(Handler):
    """A handler that collects the attributes of all elements with one name."""

    def __init__(self, name: str) -> None:
        self.attributes: list[dict[str, str]] = []
        self._name = name

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == self._name:
            local = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
            self.attributes.append(local)


class TextCollector(Handler):
    """A handler that collects character data while `is_collecting`, up to MAX_CELL_LENGTH."""

    def __init__(self) -> None:
        self.is_collecting = False
        self._pieces: list[str] = []
        self._length = 0

    def text(self, data: str) -> None:
        if self.is_collecting and self._length < MAX_CELL_LENGTH:
            self._pieces.append(data[: MAX_CELL_LENGTH - self._length])
            self._length += len(data)

    def pop_text(self) -> str:
        text = "".join(self._pieces)
        self._pieces, self._length = [], 0
        return text


class SharedStrings(TextCollector):
    """A handler for the string table. Phonetic hints (`rPh`) are not part of a text."""

    def __init__(self, max_count: int) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._max_count = max_count
        self._is_hint = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "rPh":
            self._is_hint = True
        self.is_collecting = name == "t" and not self._is_hint

    def end(self, name: str) -> None:
        self.is_collecting = False
        if name == "rPh":
            self._is_hint = False
        elif name == "si":
            if len(self.texts) >= self._max_count:
                message = _(
                    "This workbook has more than %(count)s different texts. Save the sheet with"
                    " the figures as a separate workbook."
                )
                raise UnreadableFile(message % {"count": thousands(self._max_count)})
            self.texts.append(self.pop_text())


class SheetRows(TextCollector):
    """A handler for the rows of a sheet. Below the headings, it skips columns without a heading."""

    def __init__(self, strings: list[str], max_rows: int) -> None:
        super().__init__()
        self._strings = strings
        self._max_rows = max_rows
        self._rows: list[tuple[int, dict[int, str]]] = []
        self._headings: frozenset[int] | None = None
        self._number = self._column = 0
        self._cells: dict[int, str] = {}
        self._kind = ""
        self._is_wanted = self._is_hint = False

    def pop_rows(self) -> list[tuple[int, dict[int, str]]]:
        rows, self._rows = self._rows, []
        return rows

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._start_cell(attributes)
        elif name == "row":
            self._start_row(attributes)
        elif name == "rPh":
            self._is_hint = True
        # <v> holds a value, and <t> a text in the cell. Formulas (<f>) are not read.
        self.is_collecting = self._is_wanted and name in ("v", "t") and not self._is_hint

    def end(self, name: str) -> None:
        self.is_collecting = False
        if name == "rPh":
            self._is_hint = False
        elif name == "c":
            self._end_cell()
        elif name == "row":
            self._end_row()

    def _start_row(self, attributes: dict[str, str]) -> None:
        number = attributes.get("r", str(self._number + 1))
        if not _ROW.fullmatch(number) or not self._number < int(number) <= self._max_rows:
            message = _(
                "The row after row %(previous)d of the sheet has the number %(number)s. Save the"
                " workbook again in your spreadsheet program."
            )
            values = {"previous": self._number, "number": number[:16]}
            raise UnreadableFile(message % values)
        self._number, self._column = int(number), 0

    def _start_cell(self, attributes: dict[str, str]) -> None:
        match = _REFERENCE.fullmatch(attributes.get("r", ""))
        self._column = _column_number(match[1]) if match else self._column + 1
        self._kind = attributes.get("t", "n")
        if self._headings is None:
            self._is_wanted = len(self._cells) < MAX_HEADINGS
        else:
            self._is_wanted = self._column in self._headings
        if self._is_wanted and self._column in self._cells:
            message = _(
                "Row %(number)d of the sheet has two values in one cell. Save the workbook again"
                " in your spreadsheet program."
            )
            raise UnreadableFile(message % {"number": self._number})

    def _end_cell(self) -> None:
        text = self.pop_text()
        if self._is_wanted and text:
            text = self._value(text)
            if text.strip():
                self._cells[self._column] = text
        self._is_wanted = False

    def _value(self, text: str) -> str:
        if self._kind == "s":
            if not text.isdecimal() or len(text) > 9 or int(text) >= len(self._strings):
                message = _("Row %(number)d of the sheet has a text that is missing.")
                raise UnreadableFile(message % {"number": self._number})
            return self._strings[int(text)]
        if self._kind == "n" and _NUMBER.fullmatch(text):
            # Spreadsheets store 17 digits and show 15: a user who typed 1.1 has stored
            # 1.1000000000000001.
            return format(float(text), ".15g")
        return {"1": "TRUE", "0": "FALSE"}.get(text, text) if self._kind == "b" else text

    def _end_row(self) -> None:
        if self._cells:
            if self._headings is None:
                self._headings = frozenset(self._cells)
            self._rows.append((self._number, self._cells))
        self._cells = {}


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number
