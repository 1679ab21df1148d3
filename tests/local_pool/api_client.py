"""An app client that signs in through the API, with its SECRET_HASH where it has a secret."""

import base64
import hmac
from typing import Any

from local_pool import totp

from .conftest import App
from .srp_client import SrpClient

PASSWORD = "Cognito-demo-1"


class ApiClient:
    def __init__(self, app: App, client_id: str = "") -> None:
        self.app, self.pool = app, app.pool
        self.client_id = client_id or self.pool.client_id
        self.secret = self.pool.client_secret if self.client_id == self.pool.client_id else ""

    def hash(self, username: str) -> str:
        mac = hmac.digest(self.secret.encode(), f"{username}{self.client_id}".encode(), "sha256")
        return base64.b64encode(mac).decode()

    def _hashed(self, sent: dict[str, str], username: str, key: str = "SECRET_HASH") -> Any:
        return ({key: self.hash(username)} if self.secret else {}) | sent

    def call(self, operation: str, username: str, **body: Any) -> Any:
        """Call an operation whose SecretHash is a member."""
        names = {"ClientId": self.client_id, "Username": username}
        return self.app.api(operation, **names, **self._hashed(body, username, "SecretHash"))

    def start(self, flow: str, username: str = "ada", admin: str = "", **sent: str) -> Any:
        parameters = self._hashed({"USERNAME": username} | sent, username)
        session = {"Session": parameters.pop("Session")} if "Session" in parameters else {}
        body = {"AuthFlow": flow, "ClientId": self.client_id, "AuthParameters": parameters}
        return self.app.api(f"{admin}InitiateAuth", **body, **session)

    def password(self, username: str = "ada", password: str = PASSWORD) -> Any:
        return self.start("USER_PASSWORD_AUTH", username, PASSWORD=password)

    def answer(self, step: dict[str, Any], username: str = "ada", **responses: str) -> Any:
        sent = self._hashed({"USERNAME": username} | responses, username)
        body = {"ChallengeName": step["ChallengeName"], "ChallengeResponses": sent}
        session = {"Session": step["Session"]} if step.get("Session") else {}
        body |= {"ClientId": self.client_id}
        return self.app.api("RespondToAuthChallenge", **body, **session)

    def srp(self, username: str = "ada", password: str = PASSWORD) -> Any:
        client = SrpClient(self.pool.pool_id)
        response = self.start("USER_SRP_AUTH", username, SRP_A=f"{client.public:x}")
        if response.status_code != 200:
            return response
        step = response.json()
        answer = client.answer(step["ChallengeParameters"], password)
        return self.answer(step | {"Session": ""}, answer.pop("USERNAME"), **answer)

    def tokens(self, username: str = "ada") -> dict[str, Any]:
        return self.password(username).json()["AuthenticationResult"]

    def access(self, username: str = "ada") -> dict[str, str]:
        return {"AccessToken": self.tokens(username)["AccessToken"]}

    def code_of(self, secret: str) -> str:
        return totp.code(secret, int(self.pool.clock()) // totp.STEP_SECONDS)

    def set_up_totp(self, username: str = "ada") -> str:
        """Register an authenticator app, prefer it, and return its secret."""
        token = self.access(username)
        secret = self.app.api("AssociateSoftwareToken", **token).json()["SecretCode"]
        self.app.api("VerifySoftwareToken", UserCode=self.code_of(secret), **token)
        settings = {"Enabled": True, "PreferredMfa": True}
        self.app.api("SetUserMFAPreference", SoftwareTokenMfaSettings=settings, **token)
        return secret
