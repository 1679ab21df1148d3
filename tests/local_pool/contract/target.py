"""The user pool under test, and the HTTP requests of an application to it.

It is a `local_pool` started for the check, or the pool that COGNITO_CONTRACT_URL and the variables
below name (see README.md in this folder). Nothing here depends on the kind of pool.
"""

import base64
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import botocore.session
import jwt
import requests

from local_pool.testing import LocalPool
from tests.local_pool.contract.browser import Browser

PREFIX = "COGNITO_CONTRACT_"
REQUIRED = (
    *("URL", "ISSUER", "CLIENT_ID", "CLIENT_SECRET"),
    *("USERNAME", "PASSWORD", "CALLBACK_URL", "LOGOUT_URL"),
)
OPTIONAL = ("PUBLIC_CLIENT_ID", "MACHINE_CLIENT_ID", "MACHINE_CLIENT_SECRET")
SCOPES = "openid email profile aws.cognito.signin.user.admin"
VERIFIER = "a-code-verifier-of-43-to-128-characters~0123456789"
SECONDS = 20
CLIENT: Any = object()  # stands for the web client's credentials


def challenge_of(verifier: str) -> str:
    """Return the S256 code challenge (RFC 7636, section 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def parameters(url: str) -> dict[str, str]:
    """Return the parameters of the query or, without a query, of the fragment."""
    parts = urlsplit(url)
    return dict(parse_qsl(parts.query or parts.fragment, keep_blank_values=True))


def unverified_claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


_MODEL = botocore.session.get_session().get_service_model("cognito-idp")
OF_THE_POOL = {
    name
    for name in _MODEL.operation_names
    if "UserPoolId" in _MODEL.operation_model(name).input_shape.required_members
}


@dataclass(frozen=True)
class Target:
    url: str  # of the pages and the OAuth endpoints, without a trailing slash
    issuer: str
    client_id: str
    client_secret: str
    username: str
    password: str
    callback_url: str
    logout_url: str
    public_client_id: str = ""
    machine_client_id: str = ""
    machine_client_secret: str = ""

    @classmethod
    def of(cls, pool: LocalPool) -> "Target":
        return cls(
            url=pool.url,
            issuer=pool.issuer,
            client_id=pool.client_id,
            client_secret=pool.client_secret,
            username="ada",
            password="Cognito-demo-1",
            callback_url="http://localhost:8000/signin",
            logout_url="http://localhost:8000/signout",
            public_client_id=pool.config.public_client_id,
            machine_client_id=pool.config.machine_client_id,
            machine_client_secret=pool.config.machine_client_secret,
        )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Target | None":
        """Return the named pool, or None. Raises KeyError if a required variable is missing."""
        if not environ.get(f"{PREFIX}URL"):
            return None
        values = {name.lower(): environ[PREFIX + name] for name in REQUIRED}
        values |= {name.lower(): environ.get(PREFIX + name, "") for name in OPTIONAL}
        return cls(**values | {"url": values["url"].rstrip("/")})

    def environment(self) -> dict[str, str]:
        """Return the environment variables that name this pool."""
        return {f"{PREFIX}{name.upper()}": value for name, value in vars(self).items() if value}

    # The application

    def query(self, **changes: str | None) -> dict[str, str]:
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.callback_url,
            "scope": SCOPES,
            "state": "a-state",
            "nonce": "a-nonce",
        }
        return {name: value for name, value in (query | changes).items() if value is not None}

    def authorize_url(self, **changes: str | None) -> str:
        return f"{self.url}/oauth2/authorize?{urlencode(self.query(**changes))}"

    def authorize(self, browser: Browser | None = None, **changes: str | None) -> requests.Response:
        return (browser or Browser(self.url)).get(self.authorize_url(**changes))

    def sign_in(self, browser: Browser | None = None, **changes: str | None) -> str:
        """Sign the test user in on the pages, and return the callback URL with its parameters."""
        browser = browser or Browser(self.url)
        callback = browser.open(self.authorize_url(**changes))
        return callback or browser.sign_in(self.username, self.password)

    def code(self, browser: Browser | None = None, **changes: str | None) -> str:
        return parameters(self.sign_in(browser, **changes))["code"]

    # The token, revocation and userInfo endpoints

    def post(self, path: str, form: Mapping[str, str], auth: Any = CLIENT) -> requests.Response:
        basic = (self.client_id, self.client_secret) if auth is CLIENT else auth
        return requests.post(
            f"{self.url}{path}", form, auth=basic, timeout=SECONDS, allow_redirects=False
        )

    def token(self, grant_type: str, auth: Any = CLIENT, **form: str) -> requests.Response:
        return self.post("/oauth2/token", {"grant_type": grant_type} | form, auth)

    def redeem(self, code: str, auth: Any = CLIENT, **form: str) -> requests.Response:
        defaults = {"code": code, "redirect_uri": self.callback_url}
        return self.token("authorization_code", auth, **(defaults | form))

    def refresh(self, refresh_token: str, auth: Any = CLIENT, **form: str) -> requests.Response:
        return self.token("refresh_token", auth, refresh_token=refresh_token, **form)

    def machine(self, **form: str) -> requests.Response:
        auth = (self.machine_client_id, self.machine_client_secret)
        return self.token("client_credentials", auth, **form)

    def tokens(self, browser: Browser | None = None, **changes: str | None) -> dict[str, Any]:
        response = self.redeem(self.code(browser, **changes))
        assert response.status_code == 200, response.text
        return response.json()

    def public_tokens(self, browser: Browser | None = None) -> dict[str, Any]:
        code = self.code(
            browser,
            client_id=self.public_client_id,
            code_challenge=challenge_of(VERIFIER),
            code_challenge_method="S256",
        )
        form = {"client_id": self.public_client_id, "code_verifier": VERIFIER}
        response = self.redeem(code, None, **form)
        assert response.status_code == 200, response.text
        return response.json()

    def revoke(self, token: str, auth: Any = CLIENT, **form: str) -> requests.Response:
        return self.post("/oauth2/revoke", {"token": token} | form, auth)

    def user_info(self, access_token: str) -> requests.Response:
        return self.get("/oauth2/userInfo", headers={"Authorization": f"Bearer {access_token}"})

    def get(self, path: str, headers: Any = None, **query: str) -> requests.Response:
        return requests.get(
            f"{self.url}{path}",
            query,
            headers=headers,
            timeout=SECONDS,
            allow_redirects=False,
        )

    # The issuer: discovery, keys, and the cognito-idp operations

    def discovery(self) -> dict[str, Any]:
        return self._document("openid-configuration")

    def published_keys(self) -> list[dict[str, str]]:
        return self._document("jwks.json")["keys"]

    def _document(self, name: str) -> Any:
        response = requests.get(f"{self.issuer}/.well-known/{name}", timeout=SECONDS)
        assert response.status_code == 200, response.text
        return response.json()

    def verified(self, token: str, **options: Any) -> dict[str, Any]:
        """Return the claims of a token, verified with the published key of its `kid`."""
        kid = jwt.get_unverified_header(token)["kid"]
        key = next(key for key in self.published_keys() if key["kid"] == kid)
        options = {"verify_aud": False, "verify_exp": False, "verify_iat": False} | options
        return jwt.decode(token, jwt.PyJWK(key), algorithms=["RS256"], options=options)

    def call(self, operation: str, **body: Any) -> requests.Response:
        """Call an operation of the cognito-idp API without a signature."""
        parts = urlsplit(self.issuer)
        if operation in OF_THE_POOL:
            body = {"UserPoolId": parts.path.rpartition("/")[2]} | body
        headers = {
            "X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
        }
        return requests.post(
            f"{parts.scheme}://{parts.netloc}/", json=body, headers=headers, timeout=SECONDS
        )


def unique(name: str) -> str:
    return f"{name}{uuid.uuid4().hex[:8]}"
