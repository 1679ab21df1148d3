"""A `/oauth2/userInfo` for mozilla-django-oidc, which calls it on each request.

    python -m tools.bench.userinfo PORT TOKEN '{"sub": …}'

It returns a constant, so that the peer waits less than it would for Cognito.
"""

import asyncio
import sys

_UNAUTHORIZED = (
    b"401 Unauthorized\r\n"
    b'WWW-Authenticate: Bearer error="invalid_token", error_description="Invalid access token."'
)


class UserInfo(asyncio.Protocol):
    token = claims = b""
    transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.heard = transport, b""  # type: ignore[assignment] # it can write

    def data_received(self, data: bytes) -> None:
        self.heard += data
        if b"\r\n\r\n" not in self.heard:
            return
        lines = self.heard.split(b"\r\n")
        has_token = any(
            line.lower().startswith(b"authorization:") and self._is_valid(line) for line in lines
        )
        status = b"200 OK" if has_token else _UNAUTHORIZED
        body = self.claims if has_token else b"{}"
        head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self.transport.write(head % (status, len(body)) + body)
        self.heard = b""

    def _is_valid(self, line: bytes) -> bool:
        return line.partition(b":")[2].strip() == b"Bearer " + self.token


async def serve(port: int, token: str, claims: str) -> None:
    handler = type("Handler", (UserInfo,), {"token": token.encode(), "claims": claims.encode()})
    server = await asyncio.get_running_loop().create_server(handler, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
