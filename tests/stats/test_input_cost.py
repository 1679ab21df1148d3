"""All code that parses a figure takes linear time."""

import io
from functools import partial

import pytest
from django.utils.datastructures import MultiValueDict

from stats.api import pagination
from stats.api.parsers import ExactJSONParser
from stats.cleaning import FIELDS, clean_values
from stats.exact_numbers import exact_decimal, whole_number
from stats.fields import kpi_key
from stats.files import read_rows
from stats.filters import BY_PERIOD, FigureFilter
from stats.forms import FigureForm
from stats.models import Stat
from tests.input_cost import PUMPS, assert_linear
from tests.stats.workbooks import workbook


def clean_one(name: str, text: str) -> object:
    return clean_values({name: text}, partial=True)


def clean_model_field(name: str, text: str) -> object:
    return Stat._meta.get_field(name).clean(text, None)


def clean_form_field(name: str, text: str) -> object:
    return FigureForm().fields[name].clean(text)


def is_filtered(name: str, text: str) -> bool:
    return FigureFilter(MultiValueDict({name: [text]})).is_valid()


def parse_body(template: str, text: str) -> object:
    body = template.replace("TEXT", text).encode(errors="replace")
    return ExactJSONParser().parse(io.BytesIO(body))


def read_file(content: bytes) -> object:
    return list(read_rows(io.BytesIO(content), 1_000))


READERS = {
    "whole number": whole_number,
    "exact decimal": exact_decimal,
    "KPI key": kpi_key,
    **{f"figure's {name}": partial(clean_one, name) for name in FIELDS},
    **{f"model's {name}": partial(clean_model_field, name) for name in FIELDS},
    **{f"form's {name}": partial(clean_form_field, name) for name in FIELDS},
    **{
        f"filter {name}": partial(is_filtered, name)
        for name in ("kpi", "year", "from", "to", "search", "ordering")
    },
    "unknown field": lambda text: clean_values({text: text}),
    "limit": pagination._limit,
    "cursor": lambda text: pagination._read(text, BY_PERIOD),
    "JSON text": partial(parse_body, '{"value": "TEXT"}'),
    "JSON number": partial(parse_body, '{"value": TEXT}'),
    "CSV": lambda text: read_file(f"kpi,year,month,value\n{text}\n".encode()),
    "CSV with semicolons": lambda text: read_file(f"kpi;year;month;value\n;;;{text}\n".encode()),
    "headings": lambda text: read_file(text.encode()),
    "XLSX": lambda text: read_file(workbook(f"<row><c><v>{text}</v></c></row>")),
    "string table": lambda text: read_file(workbook(strings=f"<si><t>{text}</t></si>")),
}


@pytest.mark.parametrize("name", READERS)
def test_reader_of_figures_takes_linear_time(name, db):
    for pump in PUMPS:
        assert_linear(READERS[name], pump)
