"""The settings of a site whose user pool is a local pool."""

from typing import Any

from local_pool.testing import LocalPool
from tests.flows.conftest import ENVIRONMENT_NAMES


def use_pool(settings: Any, pool: LocalPool) -> None:
    """Configure the site under test for `pool`, as its environment variables would."""
    environment = pool.env()
    settings.COGNITO = {
        **settings.COGNITO,
        **{key: environment.get(name, "") for key, name in ENVIRONMENT_NAMES.items()},
    }
