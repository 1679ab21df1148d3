"""Test clients that are signed in: Django's and DRF's in one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

try:
    from rest_framework.test import APIClient as BaseClient
except ModuleNotFoundError:  # a project without an API does without it
    from django.test import Client as BaseClient  # type: ignore[assignment]

from ..cognito.config import DEFAULT_SCOPES
from ..core.app_label import page_address
from ..provider import provider
from .fake import FakeCognito, Person
from .tokens import mint_access_token, mint_machine_token


class CognitoClient(BaseClient):
    """Django REST framework's test client, with the way through the hosted UI walked for you.

    It is Django's test client if REST framework is not installed.

    Signed in by session, for pages, and with a bearer token, for the API; `user` is the person.
    """

    def sign_in(self, person: Person, cognito: FakeCognito) -> None:
        """Sign in as a browser does: the two requests and everything behind them are real."""
        secure = provider().public_url.startswith("https:")
        to_hosted_ui = self.get(page_address("login"), secure=secure)
        query = parse_qs(urlsplit(to_hosted_ui["Location"]).query)
        person.nonce = query["nonce"][0]
        returned = self.get(
            page_address("callback"),
            {"code": cognito.authorize(person), "state": query["state"][0]},
            secure=secure,
        )
        if returned.status_code != 302:
            raise AssertionError(f"{person.username} was not signed in: {returned.status_code}")

    def bear(self, access_token: str) -> None:
        """Send this access token with every request from now on."""
        headers = {"HTTP_AUTHORIZATION": f"Bearer {access_token}"}
        if hasattr(self, "credentials"):
            self.credentials(**headers)
        else:
            self.defaults.update(headers)

    @property
    def user(self) -> Any:
        """The signed-in user, read afresh."""
        from django.contrib.auth import get_user_model

        return get_user_model()._default_manager.get(pk=self.session["_auth_user_id"])


def signed_in(
    username: str = "ada",
    *,
    cognito: FakeCognito,
    groups: Iterable[str] = (),
    scopes: Iterable[str] = DEFAULT_SCOPES,
    email: str | None = None,
    name: str | None = None,
    session: bool = True,
    bearer: bool = True,
    **client_options: Any,
) -> CognitoClient:
    """A client signed in as anyone, by session and with an access token, or with one of them.

    `client_options` go to the client, for example `enforce_csrf_checks=True`.
    """
    client = CognitoClient(**client_options)
    person = Person(username, tuple(groups), tuple(scopes), email=email, name=name)
    if session:
        client.sign_in(person, cognito)
    if bearer:
        access_token = mint_access_token(
            username, groups=person.groups, scopes=person.scopes, claims=person.signed_in
        )
        client.bear(access_token)
    return client


def calling_machine(
    *, scopes: Iterable[str] = (), client_id: str | None = None, **client_options: Any
) -> CognitoClient:
    """A client that calls as a program, with a client_credentials token."""
    client = CognitoClient(**client_options)
    client.bear(mint_machine_token(client_id=client_id, scopes=scopes))
    return client
