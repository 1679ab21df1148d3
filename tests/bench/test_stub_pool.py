"""The pool of the sign-ins, without its sockets."""

import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tools.bench.stub_pool import StubPool


@pytest.fixture(scope="module")
def respond():
    """A function that sends a request in two pieces, and returns the JSON of the response."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    names = {"key": key, "base_url": "http://pool", "pool_id": "p1", "client_id": "c1"}

    class Transport:
        output = b""

        def write(self, data):
            self.output += data

    def send(request):
        pool = type("Pool", (StubPool,), names)()
        pool.connection_made(Transport())
        pool.data_received(request[:-3])
        assert pool.transport.output == b""
        pool.data_received(request[-3:])
        return json.loads(pool.transport.output.partition(b"\r\n\r\n")[2])

    return send


def test_tokens_have_the_user_and_the_nonce_of_the_code(respond):
    tokens = respond(b"POST /oauth2/token HTTP/1.1\r\nContent-Length: 14\r\n\r\ncode=ada.n-1.2_")
    [key] = respond(b"GET /p1/.well-known/jwks.json HTTP/1.1\r\n\r\n")["keys"]
    options = {"key": jwt.PyJWK(key), "algorithms": ["RS256"], "issuer": "http://pool/p1"}
    claims = jwt.decode(tokens["id_token"], audience="c1", **options)
    assert (claims["sub"], claims["nonce"]) == ("ada", "n-1.2_")
    assert jwt.decode(tokens["access_token"], **options)["client_id"] == "c1"
    bearer = tokens["access_token"].encode()
    userinfo = respond(
        b"GET /oauth2/userInfo HTTP/1.1\r\nAuthorization: Bearer %s\r\n\r\n" % bearer
    )
    assert (userinfo["sub"], userinfo["email"]) == ("ada", "ada@example.com")


def test_configuration_names_the_endpoints(respond):
    found = respond(b"GET /p1/.well-known/openid-configuration HTTP/1.1\r\n\r\n")
    assert found["issuer"] == "http://pool/p1"
    assert found["token_endpoint"] == "http://pool/oauth2/token"
