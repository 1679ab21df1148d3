"""Test clients that are signed in, for pages and for the API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.urls import get_script_prefix

try:
    from rest_framework.test import APIClient as BaseClient
except ModuleNotFoundError:  # a project without an API may not have it
    from django.test import Client as BaseClient  # type: ignore[assignment]

from ..cognito.config import DEFAULT_SCOPES
from ..core.app_label import page_url
from ..provider import provider
from .fake import FakeCognito, FakeUser
from .tokens import mint_access_token, mint_machine_token


class CognitoClient(BaseClient):
    """A test client that can sign in through the fake hosted UI and send an access token.

    It is Django REST framework's test client, or Django's if REST framework is not installed.
    """

    def sign_in(self, user: FakeUser, cognito: FakeCognito) -> None:
        """Sign in as a browser does. The views and everything behind them are the real ones."""
        secure = provider().public_url.startswith("https:")
        login_response = self.get(_path_of("login"), secure=secure)
        query = parse_qs(urlsplit(login_response["Location"]).query)
        user.nonce = query["nonce"][0]
        callback_response = self.get(
            _path_of("callback"),
            {"code": cognito.authorize(user), "state": query["state"][0]},
            secure=secure,
        )
        status = callback_response.status_code
        if status != 302:
            raise AssertionError(
                f"{user.username} was not signed in: the callback's response is {status}"
            )

    def bear(self, access_token: str) -> None:
        """Send this access token with all later requests."""
        headers = {"HTTP_AUTHORIZATION": f"Bearer {access_token}"}
        if hasattr(self, "credentials"):
            self.credentials(**headers)
        else:
            self.defaults.update(headers)

    @property
    def user(self) -> Any:
        """The Django user of the session, loaded from the database."""
        from django.contrib.auth import get_user_model

        return get_user_model()._default_manager.get(pk=self.session["_auth_user_id"])


def _path_of(name: str) -> str:
    """Return the path of a page below SCRIPT_NAME, as a test client expects it."""
    return page_url(name).removeprefix(get_script_prefix().rstrip("/"))


def signed_in(
    username: str = "ada",
    *,
    cognito: FakeCognito,
    groups: Iterable[str] = (),
    scopes: Iterable[str] = DEFAULT_SCOPES,
    email: str | None = None,
    name: str | None = None,
    acr: str | None = None,
    seconds_ago: int = 0,
    session: bool = True,
    bearer: bool = True,
    **client_options: Any,
) -> CognitoClient:
    """Return a client that is signed in as this user, with a session and an access token.

    `acr` is the level of the sign-in, and `seconds_ago` its age, for `recent_sign_in_required` and
    `RecentSignIn`. `session=False` or `bearer=False` leaves out one of the session and the token.
    `client_options` are those of the test client, for example `enforce_csrf_checks=True`.
    """
    client = CognitoClient(**client_options)
    user = FakeUser(username, tuple(groups), tuple(scopes), email=email, name=name)
    user.acr, user.seconds_ago = acr, seconds_ago
    user.begin_session()
    if session:
        client.sign_in(user, cognito)
    if bearer:
        access_token = mint_access_token(
            username, groups=user.groups, scopes=user.scopes, claims=user.sign_in_claims
        )
        client.bear(access_token)
    return client


def calling_machine(
    *, scopes: Iterable[str] = (), client_id: str | None = None, **client_options: Any
) -> CognitoClient:
    """Return a client that calls as a machine, with a client_credentials token."""
    client = CognitoClient(**client_options)
    client.bear(mint_machine_token(client_id=client_id, scopes=scopes))
    return client
