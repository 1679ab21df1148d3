import pytest

from sso_project.cache import JSONSerializer


@pytest.mark.parametrize(
    "value",
    [0, 7, -1, 1.5, "text", "", None, True, ["a", 1], {"a": [1]}],
)
def test_value_is_unchanged_after_a_round_trip(value):
    stored = JSONSerializer().dumps(value)
    read = JSONSerializer().loads(str(stored).encode())
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"{", b"[" * 100_000, b"1" * 5000, b"\x80\x04]", b"NaN,"]
)
@pytest.mark.usefixtures("no_garbage_collection")
def test_value_that_is_not_json_is_none(data):
    assert JSONSerializer().loads(data) is None
