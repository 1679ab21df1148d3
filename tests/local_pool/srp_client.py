"""The client's side of SRP, written from the contract and not from the pool's code."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

N_HEX = (
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A0879"
    "8E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B"
    "0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA4836"
    "1C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804"
    "F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6"
    "955817183995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64"
    "ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D226"
    "1AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E2"
    "08E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"
)
N, G = int(N_HEX, 16), 2


def padded(number: int) -> bytes:
    text = f"{number:x}"
    text = "0" * (len(text) % 2) + text
    return bytes.fromhex("00" * (text[0] in "89abcdef") + text)


def sha256(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


class SrpClient:
    def __init__(self, pool_id: str, a: int = 2**250 + 12345) -> None:
        self.pool = pool_id.partition("_")[2]
        self.a = a
        self.public = pow(G, a, N)

    def answer(
        self, parameters: dict[str, str], password: str, timestamp: str = ""
    ) -> dict[str, str]:
        """Return the ChallengeResponses for PASSWORD_VERIFIER."""
        user, salt = parameters["USER_ID_FOR_SRP"], int(parameters["SALT"], 16)
        b_public = int(parameters["SRP_B"], 16)
        u = sha256(padded(self.public), padded(b_public))
        inner = hashlib.sha256(f"{self.pool}{user}:{password}".encode()).digest()
        x = sha256(padded(salt), inner)
        k = sha256(padded(N), padded(G))
        shared = pow(b_public - k * pow(G, x, N), self.a + u * x, N)
        first = hmac.digest(padded(u), padded(shared), "sha256")
        key = hmac.digest(first, b"Caldera Derived Key\x01", "sha256")[:16]
        now = datetime.now(UTC)
        timestamp = timestamp or f"{now:%a %b} {now.day} {now:%H:%M:%S} UTC {now.year}"
        block = base64.b64decode(parameters["SECRET_BLOCK"])
        message = f"{self.pool}{user}".encode() + block + timestamp.encode()
        return {
            "USERNAME": user,
            "PASSWORD_CLAIM_SECRET_BLOCK": parameters["SECRET_BLOCK"],
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(
                hmac.digest(key, message, "sha256")
            ).decode(),
            "TIMESTAMP": timestamp,
        }
