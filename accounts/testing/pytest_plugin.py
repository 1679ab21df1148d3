"""The fixtures of `pytest_plugins = ["accounts.testing"]`. They require pytest-django."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from .clients import CognitoClient, calling_machine, signed_in
from .fake import FakeCognito, fake_cognito


class CognitoClientFactory:
    """The value of the fixture `cognito_client`, which creates test clients.

    `cognito_client("ada", groups=["admins"], scopes=["stats/write"])` is signed in as ada, and
    takes the other arguments of `signed_in`. `cognito_client.machine(scopes=["stats/read"])` calls
    as a machine, and `cognito_client.anonymous()` without credentials.
    """

    def __init__(self, cognito: FakeCognito) -> None:
        self.cognito = cognito

    def __call__(
        self,
        username: str = "ada",
        *,
        groups: Iterable[str] = (),
        scopes: Iterable[str] = (),
        **options: Any,
    ) -> CognitoClient:
        return signed_in(username, cognito=self.cognito, groups=groups, scopes=scopes, **options)

    def machine(
        self, *, scopes: Iterable[str] = (), client_id: str | None = None, **options: Any
    ) -> CognitoClient:
        return calling_machine(scopes=scopes, client_id=client_id, **options)

    def anonymous(self, **options: Any) -> CognitoClient:
        return CognitoClient(**options)


@pytest.fixture
def cognito() -> Iterator[FakeCognito]:
    """Replace the pool with a FakeCognito, so that no request leaves the process."""
    with fake_cognito() as fake:
        yield fake


@pytest.fixture
def cognito_client(db: None, cognito: FakeCognito) -> CognitoClientFactory:
    """Return the factory of signed-in test clients."""
    return CognitoClientFactory(cognito)
