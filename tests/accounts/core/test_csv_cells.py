"""No cell of an exported CSV file starts like a formula, with any separator."""

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
        for record in csv.reader(io.StringIO(line, newline=""), delimiter=separator)
        for cell in record
    ]


def is_formula(cell):
    """Return a true value if a program that skips quotes and spaces would run `cell`.

    An apostrophe at the start turns a formula into text.
    """
    content = cell.strip(" \xa0\u200b\x00\"'\ufeff")
    return content.startswith(FORMULA_SIGNS) and content[1:].strip() and not cell.startswith("'")


@given(st.lists(texts, min_size=1, max_size=4))
def test_no_cell_is_a_formula_with_any_separator(values):
    line = csv_writer()(values)
    for separator in SEPARATORS:
        assert not [cell for cell in cells(line, separator) if is_formula(cell)]
    restored = [unescape_formula(cell) for cell in next(csv.reader([line]), [])]
    assert restored == values or "\n" in line


@given(texts)
def test_unescaping_reverses_escaping(text):
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
def test_only_possible_formulas_are_escaped(text, escaped):
    assert escape_formula(text) == escaped


def test_numbers_are_not_escaped():
    assert csv_writer()([-3, -0.5, None, "=1"]) == "-3,-0.5,,'=1\r\n"
