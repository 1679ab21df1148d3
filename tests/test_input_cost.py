"""Text from outside costs linear time, however long it is: no reader can be made to stop a process.

CPU time is compared between an input and one ten times as long, so a busy machine changes nothing.
"""

import ast
import contextlib
import io
import re
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.http import HttpRequest, QueryDict
from django.test import RequestFactory
from django.utils.datastructures import MultiValueDict

from accounts import break_glass, client_address, next_url, wants
from accounts.cognito import claim_checks, verifier
from local_pool import commands, grants
from sso_project import log_masking
from stats.api import cursor
from stats.api.requests import ExactJSONParser
from stats.fields import kpi_key
from stats.filters import BY_PERIOD, FigureFilter
from stats.forms import FigureForm
from stats.models import Stat
from stats.numbers import exact_decimal, whole_number
from stats.rows import FIELDS, clean_values
from tests.imports import ROOT

PACKAGES = ("accounts", "stats", "sso_project", "local_pool")
LENGTHS = (1_000, 10_000, 100_000)
MAX_RATIO = 25  # of the cost of ten times the length; 10 is linear, 100 is quadratic
FLOOR_SECONDS = 0.002  # costs below this are noise

# Each ends with a character that fits nothing, so that a reader tries all its alternatives.
PUMPS = ("7", "7.", "-", " ", "\t\n", "e1", "0x", ".", ":", "a:", "/", "[", "{", '"', "\\", "=",
         "a\u0301\u0323", "\u0301\u0323", "ß", "A-", "eyJa", "Bearer ", "code=", "code =", "%3D",
         ",", ", ", "é", "_", "a_", "/?", "/../", "7e", "1,")  # fmt: skip
REQUESTS = RequestFactory()

Reader = Callable[[str], object]


def asking(next_page: str) -> HttpRequest:
    request = REQUESTS.get("/")
    request.GET = QueryDict(mutable=True)
    request.GET["next"] = next_page
    return request


def is_filtered(name: str, text: str) -> bool:
    return FigureFilter(MultiValueDict({name: [text]})).is_valid()


def parse_body(template: str, text: str) -> object:
    body = template.replace("TEXT", text).encode(errors="replace")
    return ExactJSONParser().parse(io.BytesIO(body))


def read_cursor(text: str) -> object:
    return cursor._read(text, BY_PERIOD)


READERS: dict[str, Reader] = {
    "whole number": whole_number,
    "exact decimal": exact_decimal,
    "KPI key": kpi_key,
    **{f"figure's {name}": lambda text, name=name: clean_values({name: text}) for name in FIELDS},
    **{
        f"model's {name}": lambda text, name=name: Stat._meta.get_field(name).clean(text, None)
        for name in FIELDS
    },
    "unknown field": lambda text: clean_values({text: text}),
    **{
        f"form's {name}": lambda text, name=name: FigureForm({name: text}).fields[name].clean(text)
        for name in FIELDS
    },
    **{
        f"filter {name}": partial(is_filtered, name)
        for name in ("kpi", "year", "from", "to", "search", "ordering")
    },
    "limit": cursor._limit,
    "cursor": read_cursor,
    "JSON text": partial(parse_body, '{"value": "TEXT"}'),
    "JSON number": partial(parse_body, '{"value": TEXT}'),
    "IP address": client_address._plain,
    "next page": lambda text: next_url.safe_next_url(asking(text)),
    "referring page": lambda text: wants.current_page(
        REQUESTS.post("/", headers={"Referer": text})
    ),
    "break-glass name": break_glass.as_typed,
    "token": verifier._unverified_segments,
    "token header": verifier._unverified_header,
    "claim": lambda text: claim_checks.text({"sub": text}, "sub"),
    "log line": log_masking.masked,
    "local pool's duration": commands.duration,
    "local pool's credentials": grants._basic,
}


def cost_seconds(reader: Reader, text: str) -> float:
    """Return the least CPU time of three runs; whether the text is accepted is not the question."""
    costs = []
    for _ in range(3):
        started = time.thread_time()
        with contextlib.suppress(Exception):
            reader(text)
        costs.append(time.thread_time() - started)
        if costs[-1] < FLOOR_SECONDS:
            break
    return min(costs)


def assert_linear(reader: Reader, pump: str, lengths: tuple[int, ...] = LENGTHS) -> None:
    before = None
    for length in lengths:
        text = pump * (length // len(pump)) + "\x01"
        cost = max(cost_seconds(reader, text), FLOOR_SECONDS)
        assert before is None or cost <= MAX_RATIO * before, (pump, length, before, cost)
        before = cost


@pytest.mark.parametrize("name", READERS)
def test_reader_of_text_from_outside_takes_linear_time(name, db):
    for pump in PUMPS:
        assert_linear(READERS[name], pump)


@pytest.mark.parametrize("reader", [re.compile(r"\d*\.?\d*(e\d)?").fullmatch])
def test_quadratic_reader_is_noticed(reader):
    with pytest.raises(AssertionError):
        assert_linear(reader, "7", (500, 5_000))


# --- Every regular expression, also those that no reader above uses ------------------------------

SEARCHING = ("search", "sub", "split", "findall", "finditer")


def patterns() -> Iterator[tuple[str, Reader]]:
    """File and line of each regular expression in the packages, and its method that is used."""
    for file in sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if not (
                isinstance(node, ast.Call)
                and ast.unparse(node.func).startswith("re.")
                and node.args
            ):
                continue
            place = f"{file.relative_to(ROOT).as_posix()}:{node.lineno}"
            method = ast.unparse(node.func).removeprefix("re.")
            is_search = method in SEARCHING or (
                method == "compile" and any(f".{name}(" in source for name in SEARCHING[:2])
            )
            if not isinstance(node.args[0], ast.Constant):
                assert "log_masking.py" in place, f"{place}: add its reader to READERS"
                continue
            flags = ast.unparse(ast.Tuple([*node.args[1:], *(k.value for k in node.keywords)]))
            pattern = re.compile(node.args[0].value, re.IGNORECASE * ("IGNORECASE" in flags))
            yield place, pattern.search if is_search else pattern.fullmatch


@pytest.mark.parametrize(("place", "reader"), [*patterns()])
def test_regular_expression_takes_linear_time(place, reader):
    for pump in PUMPS:
        assert_linear(reader, pump, LENGTHS[:2])
