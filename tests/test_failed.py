"""What CI asks before it gives failed tests a second run."""

import json

import pytest

from tests.failed import MANY, failed


@pytest.mark.parametrize(
    ("held", "number"),
    [
        (json.dumps({"tests/a.py::test_b": True}), 1),
        (json.dumps({"tests/a.py::test_b": True, "tests/c.py": True}), 2),
        ("{}", MANY),
        ("", MANY),
    ],
)
def test_number_of_failed_tests_is_read_from_what_pytest_keeps(tmp_path, held, number):
    record = tmp_path / "lastfailed"
    record.write_text(held)
    assert failed(record) == number


def test_run_that_left_no_record_has_failed_often(tmp_path):
    assert failed(tmp_path / "lastfailed") == MANY
