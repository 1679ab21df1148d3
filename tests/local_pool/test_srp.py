"""SRP against constants that two independent clients agree on."""

import base64
import hashlib

from local_pool import srp

from .srp_client import SrpClient

USER = "f0e1d2c3-0000-4000-8000-000000000001"
SALT = int("63479ad69a090b258277ec8fba6f9941", 16)
BLOCK = hashlib.sha256(b"block").digest()
TIMESTAMP = "Sat Nov 28 12:00:00 UTC 2026"
SIGNATURE = "cK3hzZDV6pNFlK32QvSzG9LsxXzosP8yjVABO1cy2Lk="


def number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


def test_multiplier_is_cognitos():
    expected = "538282c4354742d7cbbde2359fcf67f9f5b3a6b08791e5011b43b8a5b66d9ee6"
    assert f"{srp.K:x}" == expected


def test_server_and_client_agree_with_the_published_signature():
    x = srp.private_key(f"AbCdEfGhI{USER}", "Passw0rd!", SALT)
    b_public = srp.public_value(x, number("b"))
    client = SrpClient("eu-west-1_AbCdEfGhI", number("a"))
    message = f"AbCdEfGhI{USER}".encode() + BLOCK + TIMESTAMP.encode()
    server = srp.signature(x, client.public, number("b"), b_public, message)
    assert base64.b64encode(server).decode() == SIGNATURE
    parameters = {
        "USER_ID_FOR_SRP": USER,
        "SALT": f"{SALT:x}",
        "SRP_B": f"{b_public:x}",
        "SECRET_BLOCK": base64.b64encode(BLOCK).decode(),
    }
    answer = client.answer(parameters, "Passw0rd!", TIMESTAMP)
    assert answer["PASSWORD_CLAIM_SIGNATURE"] == SIGNATURE


def test_salt_has_no_leading_zeros():
    assert {srp.new_salt().bit_length() for _ in range(50)} == {128}
