import datetime
from decimal import Decimal

from stats.charts import Point, build_chart


def points(*figures: tuple[str, int, int, str]) -> list[Point]:
    return [
        Point(name.casefold(), name, year, month, Decimal(value))
        for name, year, month, value in figures
    ]


def test_chart_without_points_is_empty():
    chart = build_chart([])

    assert chart.periods == []
    assert chart.series == []
    assert chart.as_json() == {"months": [], "years": 0, "series": []}
    assert list(chart.table()) == []


def test_single_figure_has_no_change():
    (series,) = build_chart(points(("revenue", 2020, 3, "12.5"))).series

    assert series.values == [Decimal("12.5")]
    assert series.latest.value == Decimal("12.5")
    assert series.latest.period == datetime.date(2020, 3, 1)
    assert series.latest.change is None
    assert series.latest.percent is None
    assert series.latest.since is None


def test_points_are_sorted_by_month_and_key():
    figures = points(("revenue", 2020, 2, "3"), ("cost", 2020, 1, "1"), ("revenue", 2019, 12, "2"))

    assert build_chart(figures) == build_chart(reversed(figures))
    assert build_chart(figures).as_json() == {
        "years": 0,
        "months": ["2019-12", "2020-01", "2020-02"],
        "series": [
            {"name": "cost", "values": [None, 1.0, None]},
            {"name": "revenue", "values": [2.0, None, 3.0]},
        ],
    }


def test_change_compares_with_the_previous_figure_despite_a_gap():
    figures = points(("revenue", 2020, 1, "200"), ("revenue", 2020, 4, "150"))
    (series,) = build_chart(figures).series

    assert series.latest.change == -50
    assert series.latest.percent == -25
    assert series.latest.since == datetime.date(2020, 1, 1)


def test_percent_is_none_if_the_previous_figure_is_not_positive():
    for before in ("0", "-10"):
        figures = points(("profit", 2020, 1, before), ("profit", 2020, 2, "5"))
        (series,) = build_chart(figures).series

        assert series.latest.change == 5 - Decimal(before)
        assert series.latest.percent is None


def test_two_spellings_are_one_series_with_the_newest_name():
    figures = points(("revenue", 2020, 1, "1"), ("Revenue", 2020, 2, "2"))

    assert [series.name for series in build_chart(figures).series] == ["Revenue"]


def test_table_begins_with_the_newest_month_and_aligns_decimal_places():
    figures = points(("cost", 2020, 1, "1"), ("cost", 2020, 2, "2.25"), ("profit", 2020, 2, "1000"))

    table = [(month, list(map(str, values))) for month, values in build_chart(figures).table()]

    assert table == [
        (datetime.date(2020, 2, 1), ["2.25", "1000"]),
        (datetime.date(2020, 1, 1), ["1.00", "None"]),
    ]


def test_longest_values_on_both_sides_of_the_point_stay_exact():
    large, small = "123456789012345", "0.123456789012345"
    (series,) = build_chart(points(("a", 2020, 1, large), ("a", 2020, 2, small))).series

    assert series.values == [Decimal(large), Decimal(small)]


def test_averages_keep_the_latest_months_figures():
    chart = build_chart(
        points(("cost", 2000, 1, "10"), ("cost", 2010, 1, "20")),
        years=10,
        newest=points(("Cost", 2019, 11, "7"), ("Cost", 2019, 12, "9")),
    )
    (series,) = chart.series

    assert chart.years == chart.as_json()["years"] == 10
    assert series.values == [10, 20]
    assert (series.name, series.latest.value, series.latest.change) == ("Cost", 9, 2)


def test_swatch_is_counted_or_given():
    figures = points(("cost", 2020, 1, "1"), ("revenue", 2020, 1, "2"))

    assert [series.swatch for series in build_chart(figures).series] == [1, 2]
    chart = build_chart(figures, swatches={"cost": 1, "revenue": 3})
    assert [series.swatch for series in chart.series] == [1, 3]
