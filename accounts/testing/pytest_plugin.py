"""The fixtures: load with `pytest_plugins = ["accounts.testing"]`. Needs pytest-django."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from .clients import CognitoClient, calling_machine, signed_in
from .fake import FakeCognito, fake_cognito


class CognitoClientFactory:
    """`cognito_client("ada", groups=["admins"], scopes=["stats/write"])`; the rest as `signed_in`.

    `cognito_client.machine(scopes=["stats/read"])` calls as a program,
    `cognito_client.anonymous()` as nobody.
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
    """No pool and no network: keys and token endpoint answer from memory."""
    with fake_cognito() as fake:
        yield fake


@pytest.fixture
def cognito_client(db: None, cognito: FakeCognito) -> CognitoClientFactory:
    """Make clients signed in as anyone."""
    return CognitoClientFactory(cognito)
