"""The reader of CSV and XLSX, with files of spreadsheets and of attackers."""

import io
import tracemalloc
import zipfile

import openpyxl
import pytest

from stats.cleaning import UnreadableFile
from stats.files import read_rows
from tests.stats.workbooks import FIGURE, HEADINGS, NAMES, workbook

COST = {"kpi": "cost", "year": "2020", "month": "1", "value": "1.1"}
CSV = "kpi,year,month,value\ncost,2020,1,1.1\n"


def read(content, max_rows=1_000):
    content = content.encode() if isinstance(content, str) else content
    return list(read_rows(io.BytesIO(content), max_rows))


def refusal(content, max_rows=1_000):
    with pytest.raises(UnreadableFile) as caught:
        read(content, max_rows)
    return str(caught.value)


def text_row(number, text="x", column="A"):
    return (
        f'<row r="{number}"><c r="{column}{number}" t="inlineStr"><is><t>{text}</t></is></c></row>'
    )


@pytest.mark.parametrize(
    "content",
    [
        CSV,
        "\ufeff" + CSV,
        CSV.replace("\n", "\r\n"),
        CSV.replace("\n", "\r"),
        CSV.replace(",", ";"),
        CSV.replace(",", ";").replace("1.1", "1,1"),
        "sep=;\r\n" + CSV.replace(",", ";").replace("1.1", "1,1"),
        CSV.replace(",", "\t").replace("1.1", "1,1"),
        CSV.replace(",", "\t").encode("utf-16"),
        b"\xfe\xff" + CSV.replace(",", "\t").encode("utf-16-be"),
        "\n,,,\n" + CSV + "\n,,,\n , ,\n\n",
        CSV.replace("\n", ",,,,\n"),
        "value,kpi,,month,year\n1.1,cost,,1,2020\n",
        'kpi,year,"month",value\n"cost","2020","1","1.1"',
        workbook(),
        workbook(method=zipfile.ZIP_STORED),
    ],
)
def test_files_as_spreadsheets_write_them(content):
    assert read(content) == [(1, COST)]


def test_empty_and_formatted_cells_are_ignored():
    book, file = openpyxl.Workbook(), io.BytesIO()
    for values in (["kpi", "year", "month", "value"], ["cost", 2020, 1, 1.1]):
        book.active.append(values)
    bold = openpyxl.styles.Font(bold=True)
    for number, column in ((40, 2), (1, 7), (2, 16_384), (1_000_000, 1)):
        book.active.cell(row=number, column=column).font = bold
    book.active.cell(row=2, column=9).value = "a note next to the table"
    book.save(file)
    book.close()
    assert read(file.getvalue()) == [(1, COST)]


def test_rows_are_numbered_from_the_headings_with_empty_ones_counted():
    assert [number for number, _ in read(CSV + "\n,,,\na,2020,2,1\n")] == [1, 4]
    sheet = HEADINGS.replace('r="1"', 'r="3"') + text_row(9)
    assert [number for number, _ in read(workbook(sheet))] == [6]


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        ('<c r="D2"><v>0.30000000000000004</v></c>', "0.3"),
        ('<c r="D2"><v>1E-3</v></c>', "0.001"),
        ('<c r="D2"><v>123456789012345</v></c>', "123456789012345"),
        ('<c r="D2"><f>1+1</f><v>2</v></c>', "2"),
        ('<c r="D2" t="str"><f>A1</f><v>text</v></c>', "text"),
        ('<c r="D2" t="b"><v>1</v></c>', "TRUE"),
        ('<c r="D2" t="e"><v>#DIV/0!</v></c>', "#DIV/0!"),
        ('<c t="inlineStr"><is><r><t>1</t></r><r><t>2</t></r></is></c>', "12"),
        ('<c r="D2"><v>nan</v></c>', "nan"),
        ('<c r="D2"><f>1+1</f></c>', None),
    ],
)
def test_value_of_a_cell(stored, text):
    cells = '<c r="A2" t="s"><v>4</v></c><c r="B2"><v>2020</v></c><c r="C2"><v>1</v></c>'
    [(_, values)] = read(workbook(f'{HEADINGS}<row r="2">{cells}{stored}</row>'))
    assert values.get("value") == text


@pytest.mark.parametrize(
    ("separator", "value", "read_as"),
    [
        (";", "1,5", "1.5"),
        (";", "1,234", "1.234"),
        (";", "-0,5", "-0.5"),
        (";", "1.5", "1.5"),
        (";", "0.234", "0.234"),
        (";", "1.234,5", "1.234,5"),
        (";", "1,2,3", "1,2,3"),
        (";", "1.234", None),
        ("\t", "1,5", "1.5"),
        ("\t", "1.5", "1.5"),
        ("\t", "1,234", None),
        ("\t", "-1.234", None),
        (",", '"1,5"', "1,5"),
        (",", "1.234", "1.234"),
    ],
)
def test_decimal_comma(separator, value, read_as):
    content = CSV.replace(",", separator).replace("1.1", value)
    if read_as is None:
        assert refusal(content).startswith(f"Row 1, value: {value} is ambiguous")
    else:
        assert read(content)[0][1]["value"] == read_as


def test_half_of_a_number_with_a_comma_is_not_dropped():
    assert read(CSV.replace("1.1", "1,5"))[0][1]["column 5"] == "5"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "It holds none"),
        ("kpi,year\n", "It holds kpi, year."),
        (CSV.replace("value", "value,note"), "It holds kpi, year, month, value, note."),
        (CSV.replace("year", "kpi"), "must hold the columns"),
        (",".join(f"c{number}" for number in range(1_000)), "c7, …."),
        ("kpi,year,month,value\n", "no rows below the headings"),
        (CSV + '"a', "is not CSV"),
        (CSV.replace("cost", "k\xf6st").encode("latin-1"), "isn't written in UTF-8"),
        (CSV.encode("utf-16")[:-1], "isn't written in UTF-8"),
        ("x" * 100_000, "Line 1 has more than 65,536 characters"),
        (CSV + "cost,2020,1,1\n" * 1_000, "This file has more than 1,000 rows"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Save it as XLSX"),
        (b"PK\x03\x04broken", "not a readable XLSX"),
        (workbook()[:-300], "not a readable XLSX"),
        (workbook(method=zipfile.ZIP_LZMA), "not a readable XLSX"),
        (workbook(sheet="<worksheet><sheetData>"), "not a readable XLSX"),
        (workbook(sheet='<!DOCTYPE a [<!ENTITY a "b">]><worksheet/>'), "not a readable XLSX"),
        (workbook(**{"xl/workbook.xml": "<workbook/>"}), "has no worksheet"),
        (workbook(HEADINGS.replace("<v>3<", "<v>99<")), "a text that is missing"),
        (
            workbook(HEADINGS + text_row(3) + text_row(2)),
            "after row 3 of the sheet has the number 2",
        ),
        (workbook(HEADINGS + text_row(10**20)), "has the number 1000000000000000."),
        (workbook(HEADINGS + text_row(1_048_577)), "has the number 1048577."),
        (workbook(HEADINGS + FIGURE.replace("B2", "A2")), "two values in one cell"),
    ],
)
def test_file_that_cannot_be_read_says_why(content, words):
    assert words in refusal(content)


def far_cells():
    sheet = "".join(text_row(number, column="XFD") for number in range(2, 1_000))
    return workbook(HEADINGS + sheet + text_row(2_000, "end"))


BOMBS = {
    "cells in the last column": (far_cells, None),
    "cells": (lambda: workbook(HEADINGS + "<row>" + "<c/>" * 500_000 + "</row>"), "too large"),
    "bytes": (lambda: workbook(HEADINGS + " " * 5_000_000), "too large"),
    "rows": (lambda: workbook(HEADINGS + "<row/>" * 100_000), "too large"),
    "texts": (lambda: workbook(strings=NAMES + "<si/>" * 10_000), "different texts"),
    "text": (lambda: workbook(HEADINGS + text_row(2, "x" * 600_000)), None),
    "styles": (lambda: workbook(**{"xl/styles.xml": "<x/>" * 1_000_000}), None),
    "relationships": (lambda: workbook(**{"_rels/.rels": "<x/>" * 1_000_000}), "not a readable"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_memory_use_depends_on_the_content_only(name):
    make, words = BOMBS[name]
    content = make()
    tracemalloc.start()
    try:
        if words is None:
            assert len(read(content)) == 1
        else:
            assert words in refusal(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000


def test_long_token_is_refused_early():
    assert "not a readable" in refusal(workbook(sheet=f'<a b="{"x" * 3_000_000}"/>'), 10_000)
