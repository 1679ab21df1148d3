"""Medians, spreads, ratios, and their errors."""

import pytest

from tools.bench.measuring import MeasurementError, Series, Spread, in_turn, ratio


def test_spread_is_median_lowest_and_highest():
    assert Series("a", [5.0, 1.0, 3.0]).spread() == Spread(3.0, 1.0, 5.0)
    assert Series("a", [1.0, 2.0]).spread() == Spread(1.5, 1.0, 2.0)


def test_spread_of_no_values_is_an_error():
    with pytest.raises(MeasurementError, match="nothing was measured"):
        Series("a").spread()


def test_ratio_is_of_rounds_and_not_of_medians():
    slow_round = ratio(Series("a", [10.0, 1.0, 30.0]), Series("b", [5.0, 1.0, 10.0]))
    assert slow_round == Spread(2.0, 1.0, 3.0)


@pytest.mark.parametrize("failed", ["one", "other"])
def test_ratio_fails_if_either_side_has_an_error(failed):
    one, other = Series("one", [1.0]), Series("other", [1.0])
    {"one": one, "other": other}[failed].problems["status 500 instead of 200"] += 3
    with pytest.raises(MeasurementError, match=f"{failed}: 3 x status 500"):
        ratio(one, other)


def test_ratio_fails_if_rounds_are_missing():
    with pytest.raises(MeasurementError, match="numbers of rounds: 2 and 1"):
        ratio(Series("one", [1.0, 1.0]), Series("other", [1.0]))


def measure(calls, name, value):
    def subject():
        calls.append(name)
        return value

    return subject


def test_rounds_take_turns_and_the_first_does_not_count():
    calls = []
    series = in_turn({"a": measure(calls, "a", 1.0), "b": measure(calls, "b", 2.0)}, 2)
    assert "".join(calls) == "ababab"
    assert (series["a"].values, series["b"].values) == ([1.0, 1.0], [2.0, 2.0])


def test_without_warm_up_every_round_counts():
    calls = []
    assert in_turn({"a": measure(calls, "a", 1.0)}, 2, warm_up=False)["a"].values == [1.0, 1.0]
    assert calls == ["a", "a"]


def test_failing_subject_only_affects_its_own_series():
    calls = []

    def failing():
        raise MeasurementError("503 x 2")

    series = in_turn({"a": failing, "b": measure(calls, "b", 2.0)}, 2)
    assert series["b"].spread() == Spread(2.0, 2.0, 2.0)
    with pytest.raises(MeasurementError, match="3 x 503 x 2"):
        series["a"].spread()


def test_error_during_warm_up_counts():
    responses = iter([MeasurementError("status 500"), 1.0, 1.0])

    def subject():
        response = next(responses)
        if isinstance(response, MeasurementError):
            raise response
        return response

    with pytest.raises(MeasurementError, match="status 500"):
        in_turn({"a": subject}, 2)["a"].spread()
