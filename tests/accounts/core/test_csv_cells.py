"""Whatever separator a program expects, no cell of our CSVs begins like a formula."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.core.csv_cells import FORMULA_SIGNS, csv_writer, escape_formula, unescape_formula

SEPARATORS = (",", ";", "\t")
texts = st.text(alphabet=st.sampled_from([*FORMULA_SIGNS, *",;'\" xä\u200b\x00\xa0"]), max_size=12)


def cells(line, separator):
    return [
        cell
        for row in csv.reader(io.StringIO(line, newline=""), delimiter=separator)
        for cell in row
    ]


def is_formula(cell):
    """Whether a program runs it that skips quotes and spaces; an apostrophe makes it a text."""
    content = cell.strip(" \xa0\u200b\x00\"'\ufeff")
    return content.startswith(FORMULA_SIGNS) and content[1:].strip() and not cell.startswith("'")


@given(st.lists(texts, min_size=1, max_size=4))
def test_no_separator_leads_to_a_formula(row):
    line = csv_writer()(row)
    for separator in SEPARATORS:
        assert not [cell for cell in cells(line, separator) if is_formula(cell)]
    assert [unescape_formula(cell) for cell in next(csv.reader([line]), [])] == row or "\n" in line


@given(texts)
def test_escaping_can_be_undone(text):
    assert unescape_formula(escape_formula(text)) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("x;=2*3", "x;'=2*3"),
        ("x\t@SUM(1)", "x\t'@SUM(1)"),
        ("a, -1", "a,' -1"),
        ("\uff1d1", "'\uff1d1"),
        ("'=1", "''=1"),
        ("a-b", "a-b"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (X11; Linux x86_64)"),
        ("", ""),
    ],
)
def test_only_what_a_program_could_run_is_escaped(text, escaped):
    assert escape_formula(text) == escaped


def test_numbers_stay_numbers():
    assert csv_writer()([-3, -0.5, None, "=1"]) == "-3,-0.5,,'=1\r\n"
