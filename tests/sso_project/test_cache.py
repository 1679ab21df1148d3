import pytest

from sso_project.cache import JSONSerializer


@pytest.mark.parametrize(
    "value",
    [0, 7, -1, 1.5, "text", "", None, True, ["a", 1], {"a": [1]}, b"", b"7", b"\0{", b"PK\x03"],
)
def test_value_comes_back_as_it_was(value):
    stored = JSONSerializer().dumps(value)
    on_the_wire = stored if isinstance(stored, bytes) else str(stored).encode()
    read = JSONSerializer().loads(on_the_wire)
    assert (read, type(read)) == (value, type(value))


def test_integers_are_what_redis_can_count():
    assert JSONSerializer().dumps(41) == 41
