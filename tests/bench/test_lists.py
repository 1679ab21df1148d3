"""When two lists say the same."""

import json

import pytest

from tools.bench.client import Answer
from tools.bench.lists import require_same
from tools.bench.measuring import Refused

ROW = {
    "id": 1,
    "kpi": "revenue",
    "value": 1.5,
    "createdDate": "2026-01-02T03:04:05.678Z",
    "updatedDate": "2026-01-02T03:04:05.678Z",
}


def answer(*rows, status=200):
    return Answer(status, json.dumps({"data": rows}).encode(), 0.0, 0.0)


@pytest.mark.parametrize(
    "theirs",
    [
        ROW,
        {**ROW, "createdDate": "2026-01-02T03:04:05.678999Z"},
        {**ROW, "updatedDate": "2026-01-02T04:04:05.678+01:00"},
    ],
)
def test_times_count_to_the_millisecond_however_written(theirs):
    require_same("peer", answer(ROW), answer(theirs))


@pytest.mark.parametrize(
    "theirs",
    [
        [],
        [ROW, ROW],
        [{**ROW, "value": 1.25}],
        [{**ROW, "createdDate": "2026-01-02T03:04:05.679Z"}],
        [{name: ROW[name] for name in reversed(ROW)}],
        [{name: ROW[name] for name in ROW if name != "kpi"}],
        [{**ROW, "more": 1}],
    ],
    ids=["no row", "a row more", "value", "time", "order of members", "member less", "member more"],
)
def test_anything_else_is_another_list(theirs):
    with pytest.raises(Refused):
        require_same("peer", answer(ROW), answer(*theirs))


def test_order_of_rows_counts():
    other = {**ROW, "id": 2}
    with pytest.raises(Refused, match="'id': 2"):
        require_same("peer", answer(ROW, other), answer(other, ROW))


def test_an_empty_list_or_an_error_on_both_sides_is_no_agreement():
    with pytest.raises(Refused, match="empty"):
        require_same("peer", answer(), answer())
    with pytest.raises(Refused, match="answers 500"):
        require_same("peer", answer(ROW, status=500), answer(ROW, status=500))
