"""The number of failed tests, for which CI decides about a second run."""

import json

import pytest

from tests.failed import UNKNOWN, count_failed


@pytest.mark.parametrize(
    ("content", "number"),
    [
        (json.dumps({"tests/a.py::test_b": True}), 1),
        (json.dumps({"tests/a.py::test_b": True, "tests/c.py": True}), 2),
        ("{}", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_number_of_failed_tests_is_read_from_the_cache_of_pytest(tmp_path, content, number):
    record = tmp_path / "lastfailed"
    record.write_text(content)
    assert count_failed(record) == number


def test_missing_record_counts_as_unknown(tmp_path):
    assert count_failed(tmp_path / "lastfailed") == UNKNOWN
