"""Users of an identity provider: how they become users of the pool, and how they are linked.

The provider is a page of the local pool, or an OpenID Connect provider (upstream.py). Names,
groups, attributes and messages are Cognito's.
https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-identity-federation-consolidate-users.html
"""

import json
import secrets
import uuid
from typing import Any

from . import passwords, users
from .declarations import identity
from .errors import INVALID, UserError
from .pool import Pool
from .records import PoolUser

AMR = ("fed",)
Identity = dict[str, Any]


def find(pool: Pool, provider: str, subject: str) -> PoolUser | None:
    """Return the user of the pool with this identity at the provider, or None."""
    for user in list(pool.state.people.values()):
        for entry in user.identities:
            if (entry.get("providerName"), entry.get("userId")) == (provider, subject):
                return user
    return None


def sign_in(pool: Pool, provider: str, subject: str, mapped: dict[str, str]) -> PoolUser:
    """Return the user of an identity after a sign-in at the provider, which may create the user.

    The mapped attributes replace those of the last sign-in, also for a linked user.
    """
    user = find(pool, provider, subject)
    attributes = {name: value for name, value in mapped.items() if value}
    if "email" in attributes and user is None:
        attributes.setdefault("email_verified", "false")
    if user is not None:
        return users.update(pool, user, attributes=user.attributes | attributes)
    pool.require_primary()
    name, now = f"{provider}_{subject}", pool.clock()
    if name.lower() in pool.state.people:
        raise UserError("UsernameExistsException", f"Already found an entry for username {name}")
    entry = identity(provider, subject, created=now, is_primary=True)
    password = passwords.hash_password(secrets.token_hex(16))  # unknown to all
    user = PoolUser(
        username=name,
        sub=str(uuid.uuid4()),
        password=password,
        attributes=attributes | {"identities": json.dumps([entry])},
        created=now,
        modified=now,
        groups=(users.provider_group(pool, provider),),
        status="EXTERNAL_PROVIDER",
    )
    with pool.change() as state:
        state.people[name.lower()] = user
    return user


def link(pool: Pool, user: PoolUser, provider: str, subject: str) -> None:
    """Make an identity that has never signed in one of a user, who then signs in with it."""
    require_provider(pool, provider)
    if find(pool, provider, subject) is not None:
        message = "Merging is not currently supported, provide a SourceUser that has not signed in."
        raise UserError(INVALID, message)
    if len(entries := user.identities) >= 5:
        raise UserError("LimitExceededException", "A user has 5 linked identities at most.")
    entries.append(identity(provider, subject, created=pool.clock(), is_primary=False))
    _store(pool, user, entries)


def unlink(pool: Pool, provider: str, subject: str) -> None:
    """Remove an identity from its user. A user who has no other way to sign in is disabled."""
    user = find(pool, provider, subject)
    if user is None:
        raise UserError("UserNotFoundException", "User does not exist.")
    if user.status == "EXTERNAL_PROVIDER":
        users.disable(pool, user)
        return
    pair = (provider, subject)
    entries = [e for e in user.identities if (e.get("providerName"), e.get("userId")) != pair]
    _store(pool, user, entries)


def _store(pool: Pool, user: PoolUser, entries: list[Identity]) -> None:
    attributes = {k: v for k, v in user.attributes.items() if k != "identities"}
    stored = {"identities": json.dumps(entries)} if entries else {}
    users.update(pool, user, attributes=attributes | stored)


def require_provider(pool: Pool, name: str) -> None:
    if name not in pool.provider_names:
        message = f"Identity provider {name} does not exist."
        raise UserError("ResourceNotFoundException", message)
