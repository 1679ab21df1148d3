import pytest

from sso_project.cache import JSONSerializer


@pytest.mark.parametrize(
    "value",
    [0, 7, -1, 1.5, "text", "", None, True, ["a", 1], {"a": [1]}],
)
def test_value_comes_back_as_it_was(value):
    stored = JSONSerializer().dumps(value)
    read = JSONSerializer().loads(str(stored).encode())
    assert (read, type(read)) == (value, type(value))


def test_integers_are_what_redis_can_count():
    assert JSONSerializer().dumps(41) == 41
