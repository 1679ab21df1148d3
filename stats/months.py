"""Months, as texts like `2019-01` in forms and `201901` in the database."""

import re

PERIOD = re.compile(r"([1-9][0-9]{3})-?(0[1-9]|1[0-2])", re.ASCII)


def parse_month(text: str) -> tuple[int, int] | None:
    """Return the year and the month of `2019-01` or `201901`, or None for any other text."""
    match = PERIOD.fullmatch(text)
    return (int(match[1]), int(match[2])) if match else None


def add_months(year: int, month: int, count: int) -> tuple[int, int]:
    """Return the year and the month that are `count` months later, or earlier if it is negative."""
    years, index = divmod(year * 12 + month - 1 + count, 12)
    return years, index + 1
