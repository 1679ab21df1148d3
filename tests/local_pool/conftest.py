"""A pool per test, and an app client for it."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from local_pool.api import OPERATIONS as KNOWN
from local_pool.testing import LocalPool

from . import aws_model

CALLBACK = "http://localhost:8000/signin"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode()[:43]


class App:
    """An app client: builds URLs, exchanges codes, requests tokens."""

    def __init__(self, pool: LocalPool) -> None:
        self.pool = pool

    def authorize_url(self, **changes: str | None) -> str:
        query = {
            "client_id": self.pool.client_id,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid email profile",
            "state": "a-state",
            "nonce": "a-nonce",
        }
        query_items = {k: v for k, v in (query | changes).items() if v is not None}
        return f"{self.pool.url}/oauth2/authorize?{urlencode(query_items)}"

    def get(self, path: str, **query: str) -> requests.Response:
        return requests.get(
            f"{self.pool.url}{path}", params=query, allow_redirects=False, timeout=60
        )

    def authorize(self, session: Any = requests, **changes: str | None) -> requests.Response:
        return session.get(self.authorize_url(**changes), allow_redirects=False, timeout=60)

    def code(
        self, username: str = "ada", session: requests.Session | None = None, **changes
    ) -> str:
        url = self.pool.sign_in(self.authorize_url(**changes), username, session=session)
        return parse_qs(urlsplit(url).query)["code"][0]

    def token(self, *, auth: Any = (), **form: str) -> requests.Response:
        """Call the token endpoint; ``auth`` None sends no Authorization header."""
        basic = (self.pool.client_id, self.pool.client_secret) if auth == () else auth
        return requests.post(f"{self.pool.url}/oauth2/token", data=form, auth=basic, timeout=60)

    def redeem(self, code: str, **form: Any) -> requests.Response:
        parameters = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        return self.token(**(parameters | form))

    def tokens(self, username: str = "ada", **changes: str | None) -> dict[str, Any]:
        return self.redeem(self.code(username, **changes)).json()

    def refresh(self, refresh_token: str, **form: Any) -> requests.Response:
        return self.token(
            **({"grant_type": "refresh_token", "refresh_token": refresh_token} | form)
        )

    def revoke(self, refresh_token: str, auth: Any = ()) -> requests.Response:
        basic = (self.pool.client_id, self.pool.client_secret) if auth == () else auth
        body = {"token": refresh_token}
        return requests.post(f"{self.pool.url}/oauth2/revoke", data=body, auth=basic, timeout=60)

    def user_info(self, access_token: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {access_token}"}
        return requests.get(f"{self.pool.url}/oauth2/userInfo", headers=headers, timeout=60)

    def api(self, operation: str, service: str = "cognito-idp", **body: Any) -> requests.Response:
        """Call an operation of the API, and check its result with AWS's model."""
        prefix = {"cognito-idp": "AWSCognitoIdentityProviderService"}.get(service, service)
        headers = {
            "X-Amz-Target": f"{prefix}.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
        }
        model = aws_model.operation_model(service, operation) if operation in KNOWN else None
        if model and "UserPoolId" in model.input_shape.required_members:
            body = {"UserPoolId": self.pool.pool_id} | body
        response = requests.post(f"{self.pool.url}/", json=body, headers=headers, timeout=60)
        if model and response.status_code == 200:
            aws_model.check_request(model, body)
            aws_model.check_response(model, response.json() if response.content else None)
        elif model:
            aws_model.check_error(model, response.json()["__type"])
        return response


@pytest.fixture
def pool() -> Iterator[LocalPool]:
    with LocalPool() as running:
        yield running


@pytest.fixture
def app(pool: LocalPool) -> App:
    return App(pool)
