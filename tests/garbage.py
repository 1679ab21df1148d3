"""A fixture for tests of deeply nested JSON."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    """Collect no garbage during the test.

    A finalizer that a collection runs at the bottom of a deep recursion raises RecursionError, and
    pytest reports that as an error of the test.
    """
    gc.disable()
    yield
    gc.enable()
