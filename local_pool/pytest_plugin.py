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
    """A fresh pool with pool.toml's people and clients."""
    with LocalPool() as pool:
        yield pool


@pytest.fixture
def make_local_pool() -> Iterator[Callable[..., LocalPool]]:
    """Start pools with settings of their own; they stop with the test."""
    with ExitStack() as stack:

        def make(**settings: Any) -> LocalPool:
            return stack.enter_context(LocalPool(**settings))

        yield make
