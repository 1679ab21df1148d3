"""The operations of a signed-in user for the own passkeys."""

from . import passkeys
from .api_shapes import Body, Operations, page, token_owner
from .pool import Pool
from .records import PoolUser


def _owner(pool: Pool, body: Body) -> PoolUser:
    return token_owner(pool, body)[1]


def start_web_authn_registration(pool: Pool, body: Body) -> Body:
    return {"CredentialCreationOptions": passkeys.creation_options(pool, _owner(pool, body))}


def complete_web_authn_registration(pool: Pool, body: Body) -> None:
    passkeys.register(pool, _owner(pool, body), body["Credential"])


def list_web_authn_credentials(pool: Pool, body: Body) -> Body:
    described = [
        {
            "CredentialId": key,
            "FriendlyCredentialName": passkey.name,
            "RelyingPartyId": passkeys.RELYING_PARTY,
            "AuthenticatorAttachment": passkey.attachment,
            "AuthenticatorTransports": list(passkey.transports),
            "CreatedAt": passkey.created,
        }
        for key, passkey in passkeys.owned_by(pool, _owner(pool, body)).items()
    ]
    return page(body, "Credentials", described, limit="MaxResults")


def delete_web_authn_credential(pool: Pool, body: Body) -> None:
    passkeys.delete(pool, _owner(pool, body), body["CredentialId"])


OPERATIONS: Operations = {
    "CompleteWebAuthnRegistration": complete_web_authn_registration,
    "DeleteWebAuthnCredential": delete_web_authn_credential,
    "ListWebAuthnCredentials": list_web_authn_credentials,
    "StartWebAuthnRegistration": start_web_authn_registration,
}
