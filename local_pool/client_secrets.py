"""The secrets of an app client: the one in pool.toml, and a second one during a rotation.

As at Cognito, two secrets can be active at a time, the last one cannot be deleted, and only the
response that creates a secret contains its value.
https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AddUserPoolClientSecret.html
"""

import hmac
import re
import secrets

from .declarations import Client
from .errors import INVALID, UserError
from .pool import Pool
from .records import ClientSecret, digest

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
    added = pool.state.client_secrets.items()
    return active | {k: secret for k, secret in added if secret.client_id == client.client_id}


def changed_secret_ids(pool: Pool) -> dict[str, list[str]]:
    """Return the IDs of the active secrets of each client whose secrets differ from pool.toml."""
    clients = pool.config.clients.values()
    ids = {client.client_id: [*active_secrets(pool, client)] for client in clients}
    return {name: keys for name, keys in ids.items() if keys not in ([], [f"{name}--0"])}


def is_valid_secret(pool: Pool, client: Client, secret: str) -> bool:
    """Return True for an active secret of the client, or for "" if the client is public."""
    if client.secret is None:
        return not secret
    sent = digest(secret)
    active = active_secrets(pool, client).values()
    return any(hmac.compare_digest(record.digest, sent) for record in active)


def add(pool: Pool, client: Client, secret: str = "") -> tuple[str, ClientSecret, str]:
    """Add a secret, generated if it is ""; return its ID, its record and its value."""
    if client.secret is None:
        raise UserError(INVALID, "The app client has no secret.")
    if secret and not re.fullmatch(r"[\w+]{24,64}", secret, re.ASCII):
        raise UserError(INVALID, "ClientSecret must be 24 to 64 letters, digits, _ or +.")
    value, created = secret or secrets.token_hex(26), int(pool.clock())
    record = ClientSecret(client.client_id, digest(value), created)
    with pool.change() as state:
        active = active_secrets(pool, client)
        if len(active) >= MAX_SECRETS:
            raise UserError("LimitExceededException", "The app client has two secrets already.")
        while (key := f"{client.client_id}--{created}") in active:
            created += 1
        state.client_secrets[key] = record
    return key, record, value


def delete(pool: Pool, client: Client, key: str) -> None:
    with pool.change() as state:
        active = active_secrets(pool, client)
        if key not in active:
            raise UserError("ResourceNotFoundException", "Client secret does not exist.")
        if len(active) == 1:
            raise UserError(INVALID, "The last secret of an app client cannot be deleted.")
        if state.client_secrets.pop(key, None) is None:
            state.deleted_secrets[client.client_id] = active[key].digest
