"""A passkey in software: it answers the options of the pool as a browser's authenticator does."""

import hashlib
import os
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

Options = dict[str, Any]


class SoftwareAuthenticator:
    def __init__(self, origin: str, attachment: str = "platform") -> None:
        self.origin, self.attachment, self.party = origin, attachment, "localhost"
        self.flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV
        self.id = os.urandom(16)
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def _party_hash(self) -> bytes:
        return hashlib.sha256(self.party.encode()).digest()

    def _credential(self, **response: bytes) -> Options:
        return {
            "id": websafe_encode(self.id),
            "rawId": websafe_encode(self.id),
            "type": "public-key",
            "authenticatorAttachment": self.attachment,
            "clientExtensionResults": {},
            "response": {name: websafe_encode(value) for name, value in response.items()},
        }

    def _client_data(self, kind: str, options: Options) -> CollectedClientData:
        challenge = websafe_decode(options["challenge"])
        return CollectedClientData.create(f"webauthn.{kind}", challenge, self.origin)

    def create(self, options: Options) -> Options:
        """Return what navigator.credentials.create() returns, as JSON."""
        public = ES256.from_cryptography_key(self._key.public_key())
        attested = AttestedCredentialData.create(Aaguid.NONE, self.id, public)
        flags = self.flags | AuthenticatorData.FLAG.AT
        data = AuthenticatorData.create(self._party_hash, flags, 0, attested)
        attestation = AttestationObject.create("none", data, {})
        client_data = self._client_data("create", options)
        return self._credential(clientDataJSON=client_data, attestationObject=attestation)

    def get(self, options: Options) -> Options:
        """Return what navigator.credentials.get() returns, as JSON."""
        client_data = self._client_data("get", options)
        data = AuthenticatorData.create(self._party_hash, self.flags, 1)
        signature = self._key.sign(bytes(data) + client_data.hash, ec.ECDSA(SHA256()))
        return self._credential(
            clientDataJSON=client_data, authenticatorData=data, signature=signature
        )
