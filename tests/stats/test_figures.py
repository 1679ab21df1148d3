from decimal import Decimal

import pytest
from django.utils import translation

from stats.templatetags.figures import MINUS, figure, signed, signed_percent, thousands


@pytest.mark.parametrize(
    ("value", "text"), [("0", "0"), ("1234567.5", "1,234,567.5"), ("-1200.00", f"{MINUS}1,200.00")]
)
def test_figure_is_grouped_and_exact(value, text):
    assert figure(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"), [("1200", "+1,200"), ("-0.5", f"{MINUS}0.5"), ("0", "0")]
)
def test_change_always_has_a_sign(value, text):
    assert signed(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"), [("2.34", "+2.3%"), ("-10", f"{MINUS}10.0%"), ("0", "0.0%")]
)
def test_percent_has_one_decimal_place(value, text):
    assert signed_percent(Decimal(value)) == text


def test_figures_have_the_separators_of_the_language():
    with translation.override("de"):
        assert figure(Decimal("-1234567.5")) == f"{MINUS}1.234.567,5"
        assert (signed_percent(Decimal("2.34")), thousands(10_000)) == ("+2,3%", "10.000")
