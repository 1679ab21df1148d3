"""Comparison of two lists."""

import json

import pytest

from tools.bench.client import Response
from tools.bench.lists import require_same
from tools.bench.measuring import MeasurementError

ROW = {
    "id": 1,
    "kpi": "revenue",
    "value": 1.5,
    "createdDate": "2026-01-02T03:04:05.678Z",
    "updatedDate": "2026-01-02T03:04:05.678Z",
}


def response(*items, status=200):
    return Response(status, json.dumps({"data": items}).encode(), 0.0, 0.0)


@pytest.mark.parametrize(
    "peer_rows",
    [
        ROW,
        {**ROW, "createdDate": "2026-01-02T03:04:05.678999Z"},
        {**ROW, "updatedDate": "2026-01-02T04:04:05.678+01:00"},
    ],
)
def test_times_are_compared_in_milliseconds(peer_rows):
    require_same("peer", response(ROW), response(peer_rows))


@pytest.mark.parametrize(
    "peer_rows",
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
def test_any_other_difference_is_an_error(peer_rows):
    with pytest.raises(MeasurementError):
        require_same("peer", response(ROW), response(*peer_rows))


def test_order_of_rows_counts():
    other = {**ROW, "id": 2}
    with pytest.raises(MeasurementError, match="'id': 2"):
        require_same("peer", response(ROW, other), response(other, ROW))


def test_empty_lists_and_errors_do_not_agree():
    with pytest.raises(MeasurementError, match="empty"):
        require_same("peer", response(), response())
    with pytest.raises(MeasurementError, match="responded with 500"):
        require_same("peer", response(ROW, status=500), response(ROW, status=500))
