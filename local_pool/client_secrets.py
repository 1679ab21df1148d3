"""An app client's secrets: the one of pool.toml, and a second one while it is being changed.

As at Cognito two may be live at a time and either proves the client, in whatever it asks; the last
one cannot be deleted, and no answer but the one that made a secret shows it.
https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AddUserPoolClientSecret.html
"""

import hmac
import re
import secrets

from .declarations import Client
from .errors import PersonRefused
from .pool import Pool
from .records import ClientSecret, digest

MOST = 2
INVALID = "InvalidParameterException"


def live(pool: Pool, client: Client) -> dict[str, ClientSecret]:
    """By id, the oldest first; none for a public client. That of pool.toml has no date."""
    found: dict[str, ClientSecret] = {}
    if client.secret is not None:
        declared = ClientSecret(client.client_id, digest(client.secret), created=0)
        if pool.state.deleted_secrets.get(client.client_id) != declared.digest:
            found[f"{client.client_id}--0"] = declared
    added = pool.state.client_secrets.items()
    return found | {key: row for key, row in added if row.client_id == client.client_id}


def changed(pool: Pool) -> dict[str, list[str]]:
    """The ids of live secrets, by client, where they are not just pool.toml's."""
    ids = {each.client_id: [*live(pool, each)] for each in pool.config.clients.values()}
    return {name: keys for name, keys in ids.items() if keys not in ([], [f"{name}--0"])}


def proves(pool: Pool, client: Client, secret: str) -> bool:
    """Whether this is one of the client's secrets; for a public client, whether it is none."""
    if client.secret is None:
        return not secret
    sent = digest(secret)
    return any(hmac.compare_digest(row.digest, sent) for row in live(pool, client).values())


def add(pool: Pool, client: Client, secret: str = "") -> tuple[str, ClientSecret, str]:
    """Another secret, made up unless it is given: its id, its record, its value."""
    if client.secret is None:
        raise PersonRefused(INVALID, "The app client has no secret.")
    if secret and not re.fullmatch(r"[\w+]{24,64}", secret, re.ASCII):
        raise PersonRefused(INVALID, "ClientSecret must be 24 to 64 letters, digits, _ or +.")
    value, created = secret or secrets.token_hex(26), int(pool.clock())
    record = ClientSecret(client.client_id, digest(value), created)
    with pool.change() as state:
        known = live(pool, client)
        if len(known) >= MOST:
            raise PersonRefused("LimitExceededException", "The app client has two secrets already.")
        while (key := f"{client.client_id}--{created}") in known:
            created += 1
        state.client_secrets[key] = record
    return key, record, value


def delete(pool: Pool, client: Client, key: str) -> None:
    with pool.change() as state:
        known = live(pool, client)
        if key not in known:
            raise PersonRefused("ResourceNotFoundException", "Client secret does not exist.")
        if len(known) == 1:
            raise PersonRefused(INVALID, "The last secret of an app client cannot be deleted.")
        if state.client_secrets.pop(key, None) is None:
            state.deleted_secrets[client.client_id] = known[key].digest
