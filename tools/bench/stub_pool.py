"""A user pool for sign-ins without a hosted UI: `python -m tools.bench.stub_pool PORT POOL CLIENT`.

The caller makes the authorization code itself: `USER.NONCE`, with any name as the user. The token
endpoint signs tokens for it, so that the pool takes little of the processors. It checks nothing.
"""

import asyncio
import json
import sys
import time
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa


class StubPool(asyncio.Protocol):
    key: Any = None
    base_url = pool_id = client_id = ""
    transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.received = transport, b""  # type: ignore[assignment] # it can write

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        request_line, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        if not end or len(body) < int(headers.get("content-length", 0)):
            return
        self.received = b""
        content = json.dumps(self._content(request_line.split()[1], headers, body)).encode()
        reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self.transport.write(reply % len(content) + content)

    def _content(self, path: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        issuer = f"{self.base_url}/{self.pool_id}"
        if path.endswith("/jwks.json"):
            public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
            return {"keys": [{**public, "kid": "stub", "alg": "RS256", "use": "sig"}]}
        if path.endswith("/oauth2/token"):
            code = parse_qs(body.decode())["code"][0]
            return self._tokens(issuer, *code.split(".", 1))
        if path.endswith("/oauth2/userInfo"):
            token = headers["authorization"].removeprefix("Bearer ")
            user = jwt.decode(token, options={"verify_signature": False})["sub"]
            return {"sub": user, **_profile(user)}
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{self.base_url}/oauth2/authorize",
            "token_endpoint": f"{self.base_url}/oauth2/token",
            "userinfo_endpoint": f"{self.base_url}/oauth2/userInfo",
            "jwks_uri": f"{issuer}/.well-known/jwks.json",
        }

    def _tokens(self, issuer: str, user: str, nonce: str) -> dict[str, Any]:
        now = int(time.time())
        claims = {"sub": user, "iss": issuer, "auth_time": now, "iat": now, "exp": now + 3600}
        claims |= {"origin_jti": str(uuid4()), "cognito:groups": ["admins"]}
        access = {"token_use": "access", "client_id": self.client_id, "username": user}
        identity = {"token_use": "id", "aud": self.client_id, "cognito:username": user}
        return {
            "access_token": self._sign(claims | access | {"scope": "openid email profile"}),
            "id_token": self._sign(claims | identity | _profile(user) | {"nonce": nonce}),
            "refresh_token": "x" * 1000,
            "expires_in": 3600,
            "token_type": "Bearer",
        }

    def _sign(self, claims: dict[str, Any]) -> str:
        content = claims | {"jti": str(uuid4())}
        return jwt.encode(content, self.key, algorithm="RS256", headers={"kid": "stub"})


def _profile(user: str) -> dict[str, Any]:
    return {"email": f"{user}@example.com", "email_verified": True, "name": user}


async def serve(port: int, pool_id: str, client_id: str) -> None:
    names = {"pool_id": pool_id, "client_id": client_id, "base_url": f"http://127.0.0.1:{port}"}
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    handler = type("Handler", (StubPool,), {"key": key, **names})
    server = await asyncio.get_running_loop().create_server(handler, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
