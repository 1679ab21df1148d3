"""A site whose user pool is a running local one."""

from typing import Any

from local_pool.testing import LocalPool
from tests.flows.conftest import ENVIRONMENT_NAMES


def use_pool(settings: Any, pool: LocalPool) -> None:
    """Let the site under test talk to `pool`, as its environment would say."""
    environment = pool.env()
    settings.COGNITO = {
        **settings.COGNITO,
        **{key: environment.get(name, "") for key, name in ENVIRONMENT_NAMES.items()},
    }
