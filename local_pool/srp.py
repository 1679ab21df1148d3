"""The server's side of SRP-6a as Cognito uses it: proof of a password that is never sent.

The group is the 3072-bit one of RFC 3526 with generator 2, the hash is SHA-256. The numbers have
the form of Java's ``BigInteger.toByteArray``: as short as possible, but with the sign bit 0.
"""

import hashlib
import hmac
import os

N = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A0879"
    "8E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B"
    "0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA4836"
    "1C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804"
    "F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6"
    "955817183995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64"
    "ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D226"
    "1AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E2"
    "08E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
G = 2


def to_bytes(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _hash(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


K = _hash(to_bytes(N), to_bytes(G))


def new_salt() -> int:
    """Return a random salt without leading zeros, which some clients would lose."""
    return int.from_bytes(os.urandom(16), "big") | 1 << 127


def private_key(name: str, password: str, salt: int) -> int:
    """Return ``x``. ``name`` is the pool ID after the underscore, followed by the username."""
    inner = hashlib.sha256(f"{name}:{password}".encode()).digest()
    return _hash(to_bytes(salt), inner)


def public_value(x: int, b: int) -> int:
    """Return ``SRP_B`` for the server's secret ``b``."""
    return (K * pow(G, x, N) + pow(G, b, N)) % N


def signature(x: int, a_public: int, b: int, b_public: int, message: bytes) -> bytes:
    """Return what the client must send: an HMAC of ``message`` under the shared key."""
    u = _hash(to_bytes(a_public), to_bytes(b_public))
    shared = pow(a_public * pow(pow(G, x, N), u, N), b, N)
    extracted = hmac.digest(to_bytes(u), to_bytes(shared), "sha256")
    key = hmac.digest(extracted, b"Caldera Derived Key\x01", "sha256")[:16]
    return hmac.digest(key, message, "sha256")
