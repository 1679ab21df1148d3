"""Read the first worksheet of an XLSX file as a stream (ECMA-376 part 1, sections 18.2 to 18.4).

Only the cells below the headings are read. The parser stops at its limits, and ignores what the
file states about its own size. openpyxl is not used: it builds every row as wide as its last cell,
and holds a tree of the whole document in memory.
"""

import zipfile
from collections.abc import Iterator
from posixpath import dirname, join, normpath
from typing import IO, Any
from xml.parsers import expat

from django.utils.translation import gettext, gettext_lazy

from .cleaning import UnreadableFile
from .sheet_xml import Elements, Handler, SharedStrings, SheetRows
from .templatetags.figures import thousands

MAX_BYTES_PER_ROW = 640  # unpacked; a formatted row of four cells has about 250
MAX_ELEMENTS_PER_ROW = 20  # a row of four cells has 9 to 14
MAX_SHEET_ROWS = 1_048_576  # including empty ones
_MAX_TOKEN_BYTES = 1024 * 1024  # with each chunk, expat parses an unfinished token again
_CHUNK_BYTES = 65_536
_MAX_SMALL_PART_BYTES = 1024 * 1024
_WORKSHEET, _STRINGS, _DOCUMENT = "/worksheet", "/sharedStrings", "/officeDocument"
_BROKEN = gettext_lazy(
    "This is not a readable XLSX workbook. Save it again in your spreadsheet program."
)


def xlsx_rows(file: IO[bytes], max_rows: int) -> Iterator[tuple[int, dict[int, str]]]:
    """Yield the number of each row (from 1), and the texts of its cells by column (from 1).

    The first row with a text holds the headings. Columns without a heading are not read.

    Raises:
        UnreadableFile: the file is not a workbook, or is too large for `max_rows`.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            yield from Workbook(archive, max_rows).rows()
    except UnreadableFile:
        raise
    except Exception as error:  # zipfile and expat raise many types for a broken file
        raise UnreadableFile(_BROKEN) from error


class Workbook:
    """The parts of an XLSX that hold the texts of its first worksheet."""

    def __init__(self, archive: zipfile.ZipFile, max_rows: int) -> None:
        self._archive = archive
        self._max_rows = max_rows
        self._bytes_left = max_rows * MAX_BYTES_PER_ROW
        self._elements_left = max_rows * MAX_ELEMENTS_PER_ROW

    def rows(self) -> Iterator[tuple[int, dict[int, str]]]:
        roots = dict(self._relationships("")).values()
        document = next((target for kind, target in roots if kind.endswith(_DOCUMENT)), "")
        relationships = dict(self._relationships(document))
        strings = SharedStrings(max_count=4 * self._max_rows)
        for kind, target in relationships.values():
            if kind.endswith(_STRINGS):
                self._read(target, strings)
        reader = SheetRows(strings.texts, MAX_SHEET_ROWS)
        for _ in self._parse(self._first_sheet(document, relationships), reader):
            yield from reader.pop_rows()

    def _first_sheet(self, document: str, relationships: dict[str, tuple[str, str]]) -> str:
        for sheet in self._elements(document, "sheet"):
            kind, target = relationships.get(sheet.get("id", ""), ("", ""))
            if kind.endswith(_WORKSHEET):
                return target
        raise UnreadableFile(gettext("This workbook has no worksheet."))

    def _relationships(self, part: str) -> Iterator[tuple[str, tuple[str, str]]]:
        """Yield ID, type and target of a part's relationships (ECMA-376 part 2, section 9.3)."""
        path = join(dirname(part), "_rels", f"{part.rpartition('/')[2]}.rels")
        for item in self._elements(path, "Relationship"):
            target = join("/", dirname(part), item.get("Target", ""))
            yield item.get("Id", ""), (item.get("Type", ""), normpath(target).lstrip("/"))

    def _elements(self, path: str, name: str) -> list[dict[str, str]]:
        if self._member(path).file_size > _MAX_SMALL_PART_BYTES:
            raise UnreadableFile(_BROKEN)
        elements = Elements(name)
        self._read(path, elements)
        return elements.attributes

    def _read(self, path: str, handler: Handler) -> None:
        for _ in self._parse(path, handler):
            pass

    def _parse(self, path: str, handler: Handler) -> Iterator[None]:
        """Feed a part to the handler, and yield after each chunk."""
        member, fed = self._member(path), 0
        parser = self._parser(handler)
        with self._archive.open(member) as part:
            while chunk := part.read(_CHUNK_BYTES):
                fed += len(chunk)
                self._bytes_left -= len(chunk)
                if self._bytes_left < 0:
                    raise self._too_large()
                parser.Parse(chunk, False)
                if fed - parser.CurrentByteIndex > _MAX_TOKEN_BYTES:
                    raise UnreadableFile(_BROKEN)
                yield
        parser.Parse(b"", True)
        yield

    def _parser(self, handler: Handler) -> expat.XMLParserType:
        def start(name: str, attributes: dict[str, str]) -> None:
            self._elements_left -= 1
            if self._elements_left < 0:
                raise self._too_large()
            handler.start(name.rpartition(" ")[2], attributes)

        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_doctype  # it could define entities
        parser.StartElementHandler = start
        parser.EndElementHandler = lambda name: handler.end(name.rpartition(" ")[2])
        parser.CharacterDataHandler = handler.text
        return parser

    def _too_large(self) -> UnreadableFile:
        message = gettext(
            "This workbook is too large for %(count)s rows. Copy the columns kpi, year, month and"
            " value into a new workbook, or save them as CSV."
        )
        return UnreadableFile(message % {"count": thousands(self._max_rows)})

    def _member(self, path: str) -> zipfile.ZipInfo:
        try:
            member = self._archive.getinfo(path)
        except KeyError as error:
            raise UnreadableFile(_BROKEN) from error
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnreadableFile(_BROKEN)  # zipfile does not limit the output of other methods
        return member


def _refuse_doctype(*ignored: Any) -> None:
    raise UnreadableFile(_BROKEN)
