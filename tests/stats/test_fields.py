import re
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from accounts.core.csv_cells import FORMULA_SIGNS
from stats.fields import KPI_PATTERN, kpi_key, plain
from stats.models import Stat


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Revenue", "revenue"),
        ("  revenue ", "revenue"),
        ("STRASSE", "straße"),
        ("caf\u00e9", "cafe\u0301"),  # composed and decomposed
        ("\u1f80", "\u1f00\u03b9"),  # a subscript iota folds to a letter
    ],
)
def test_spellings_of_one_name_share_a_key(one, other):
    assert kpi_key(one) == kpi_key(other)


def test_different_names_have_different_keys():
    assert len({kpi_key(name) for name in ("cost", "costs", "co st", "cöst")}) == 4


def test_key_of_the_longest_name_fits_its_column():
    longest = "\u0390" * Stat._meta.get_field("kpi").max_length

    assert len(kpi_key(longest)) <= Stat._meta.get_field("kpi_key").max_length


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("0.000", "0"),
        ("12.500", "12.5"),
        ("100", "100"),
        ("1E+2", "100"),
        ("-3.10", "-3.1"),
        ("123456789012345.000000000000000", "123456789012345"),
        ("0.123456789012345", "0.123456789012345"),
    ],
)
def test_plain_drops_the_padding_and_nothing_else(stored, shown):
    assert str(plain(Decimal(stored))) == shown


@pytest.mark.parametrize(
    "value",
    ["0", "-1.5", "123456789012345", "0.123456789012345", "1234567.12345678", "100000000000000"],
)
def test_up_to_15_digits_are_accepted(value):
    assert Stat._meta.get_field("value").clean(value, None) == Decimal(value)


@pytest.mark.parametrize(
    "value",
    [
        "1234567890123456",
        "0.1234567890123456",
        "12345678.12345678",
        "1000000000000000",
        "100000000000000.000000000000001",
        "1e400",
        "1e-400",
        "NaN",
        "Infinity",
        "-Infinity",
        "12,5",
        "",
        "=cmd",
    ],
)
def test_other_values_are_refused(value):
    with pytest.raises(ValidationError):
        Stat._meta.get_field("value").clean(value, None)


def test_documented_pattern_accepts_what_the_field_accepts():
    field = Stat._meta.get_field("kpi")
    names = [
        "a b",
        " a ",
        "a\u2028b",
        "a\u200bb",
        "\u3000a",
        "Umsatz €",
        "x" * 64,
        "x" * 65,
        "",
        "  ",
    ]
    names += [f"a{chr(code)}b" for code in range(0x180)] + [chr(code) for code in range(0x180)]
    for name in names + [f"{sign}a" for sign in FORMULA_SIGNS]:
        try:
            field.clean(name.strip(), None)
            accepted = True
        except ValidationError:
            accepted = False
        assert bool(re.search(KPI_PATTERN, name)) is accepted, repr(name)
