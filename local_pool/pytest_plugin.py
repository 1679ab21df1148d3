"""pytest fixtures around LocalPool. Load with ``pytest_plugins = ["local_pool.pytest_plugin"]``.

def test_sign_in(local_pool, client):
    assert local_pool.sign_in(client, "ada").status_code == 302
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from .testing import LocalPool


@pytest.fixture
def local_pool() -> Iterator[LocalPool]:
    """A new pool with the users and clients of pool.toml."""
    with LocalPool() as pool:
        yield pool


@pytest.fixture
def make_local_pool() -> Iterator[Callable[..., LocalPool]]:
    """A function that starts pools with given settings; they stop at the end of the test."""
    with ExitStack() as stack:

        def make(**settings: Any) -> LocalPool:
            return stack.enter_context(LocalPool(**settings))

        yield make
