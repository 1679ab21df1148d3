"""The secrets of an app client: the one in pool.toml, and a second one during a rotation.

A rotation can also publish them in Secrets Manager, as Cognito does for a client that has
``PublishSecretsInAWSSecretsManager``.

As at Cognito, two secrets can be active at a time, the last one cannot be deleted, and only the
response that creates a secret contains its value.
https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AddUserPoolClientSecret.html
"""

import base64
import hmac
import re
import secrets
import uuid
from dataclasses import replace

from .declarations import Client
from .errors import INVALID, UserError
from .pool import Pool
from .records import ClientSecret, digest
from .state import State

MAX_SECRETS = 2


def active_secrets(pool: Pool, client: Client) -> dict[str, ClientSecret]:
    """Return the secrets by ID, the oldest first; none for a public client.

    The one in pool.toml has the creation time 0.
    """
    active: dict[str, ClientSecret] = {}
    if client.secret is not None:
        declared = ClientSecret(client.client_id, digest(client.secret), created=0)
        if pool.state.deleted_secrets.get(client.client_id) != declared.digest:
            active[f"{client.client_id}--0"] = declared
    now, added = pool.clock(), pool.state.client_secrets.items()
    return active | {
        key: record
        for key, record in added
        if record.client_id == client.client_id
        and (record.expires_at is None or record.expires_at > now)
    }


def changed_secret_ids(pool: Pool) -> dict[str, list[str]]:
    """Return the IDs of the active secrets of each client whose secrets differ from pool.toml."""
    clients = pool.clients.values()
    ids = {client.client_id: [*active_secrets(pool, client)] for client in clients}
    return {name: keys for name, keys in ids.items() if keys not in ([], [f"{name}--0"])}


def is_valid_secret(pool: Pool, client: Client, secret: str) -> bool:
    """Return True for an active secret of the client, or for "" if the client is public."""
    if client.secret is None:
        return not secret
    sent = digest(secret)
    active = active_secrets(pool, client).values()
    return any(hmac.compare_digest(record.digest, sent) for record in active)


def check_hash(pool: Pool, client: Client, usernames: tuple[str, ...], sent: str | None) -> None:
    """Check a SECRET_HASH: an HMAC of username and client ID under an active secret.

    Raises UserError (NotAuthorizedException) if it is wrong, missing or not expected.
    """
    name, is_correct = client.client_id, False
    if client.secret is None and sent:
        message = f"Client {name} is not configured with secret but SECRET_HASH was received"
        raise UserError("NotAuthorizedException", message)
    if client.secret is not None and not sent:
        message = f"Client {name} is configured with secret but SECRET_HASH was not received"
        raise UserError("NotAuthorizedException", message)
    for record in active_secrets(pool, client).values():
        secret = record.value or client.secret or ""  # only the one of pool.toml has no value
        for username in usernames:
            mac = hmac.digest(secret.encode(), f"{username}{name}".encode(), "sha256")
            is_correct |= hmac.compare_digest(base64.b64encode(mac), (sent or "").encode())
    if client.secret is not None and not is_correct:
        raise UserError("NotAuthorizedException", f"Unable to verify secret hash for client {name}")


def current_value(pool: Pool, client: Client) -> str | None:
    """Return the newest secret whose value is known; None for a public client."""
    values = [r.value for r in active_secrets(pool, client).values() if r.is_shown]
    return values[-1] if values else client.secret


def add(pool: Pool, client: Client, secret: str = "") -> tuple[str, ClientSecret, str]:
    """Add a secret, generated if it is ""; return its ID, its record and its value."""
    _require_confidential(client)
    if secret and not re.fullmatch(r"[\w+]{24,64}", secret, re.ASCII):
        raise UserError(INVALID, "ClientSecret must be 24 to 64 letters, digits, _ or +.")
    value = secret or secrets.token_hex(26)
    with pool.change() as state:
        if len(active_secrets(pool, client)) >= MAX_SECRETS:
            raise UserError("LimitExceededException", "The app client has two secrets already.")
        key, record = _new_record(pool, client, value)
        state.client_secrets[key] = record
    return key, record, value


def _require_confidential(client: Client) -> None:
    if client.secret is None or client.kind == "DCR":
        raise UserError(INVALID, "The app client has no secret that can be changed.")


def _new_record(pool: Pool, client: Client, value: str) -> tuple[str, ClientSecret]:
    """Return an unused ID and a record. Several secrets can be created in one second."""
    created = int(pool.clock())
    while (key := f"{client.client_id}--{created}") in pool.state.client_secrets:
        created += 1
    return key, ClientSecret(client.client_id, digest(value), created, value)


def delete(pool: Pool, client: Client, key: str) -> None:
    with pool.change() as state:
        active = active_secrets(pool, client)
        if key not in active:
            raise UserError("ResourceNotFoundException", "Client secret does not exist.")
        if len(active) == 1:
            raise UserError(INVALID, "The last secret of an app client cannot be deleted.")
        _remove(state, key, active[key])


def _remove(state: State, key: str, record: ClientSecret) -> None:
    if state.client_secrets.pop(key, None) is None:
        state.deleted_secrets[record.client_id] = record.digest


def rotate(pool: Pool, client: Client, *, old_seconds: float | None = None) -> str:
    """Publish a new secret in Secrets Manager, and return its value.

    The previous one stays valid for ``old_seconds``, or until the next rotation if that is None.
    Older ones are deleted.
    """
    _require_confidential(client)
    value = secrets.token_hex(26)
    with pool.change() as state:
        *older, (previous_key, previous) = active_secrets(pool, client).items()
        for key, record in [*older, (previous_key, previous)]:
            _remove(state, key, record)
        if old_seconds is None or old_seconds > 0:
            expires_at = None if old_seconds is None else pool.clock() + old_seconds
            state.client_secrets[previous_key] = replace(previous, expires_at=expires_at)
        key, record = _new_record(pool, client, value)
        state.client_secrets[key] = replace(record, is_shown=True)
        state.published_secrets[client.client_id] = str(uuid.uuid4())
    return value


def drop_old(pool: Pool, client: Client) -> None:
    """Delete all secrets but the newest."""
    with pool.change() as state:
        for key, record in [*active_secrets(pool, client).items()][:-1]:
            _remove(state, key, record)


def unpublish(pool: Pool, client: Client) -> None:
    """Delete the secret from Secrets Manager. It stays valid at the pool."""
    with pool.change() as state:
        state.published_secrets.pop(client.client_id, None)
