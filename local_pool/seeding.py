"""The declared users, and how they become users of the pool."""

import hashlib
import uuid
from dataclasses import replace

from . import passwords
from .pool import Pool
from .records import PoolUser
from .users import provider_group, srp_record


def seed(pool: Pool) -> None:
    """Create the declared users, and update those whose declaration has changed.

    A declared user has the same ``sub`` after every reset, so that apps recognize it.
    """
    now = pool.clock()
    for declared in pool.config.people:
        version = hashlib.sha256(repr(declared).encode()).hexdigest()
        new_sub = stable_sub(pool, declared.username)
        has_name = declared.provider or not pool.config.email_is_username
        name = declared.username if has_name else new_sub
        existing = pool.state.people.get(name.lower())
        if pool.state.seeded.get(declared.username) == version and (not existing or existing.srp):
            continue
        user = PoolUser(
            username=name,
            sub=existing.sub if existing else new_sub,
            password=passwords.hash_seed(declared.password),
            srp=srp_record(pool, name, declared.password),
            attributes=declared.all_attributes(),
            created=existing.created if existing else now,
            modified=now,
            groups=declared.groups,
            status="FORCE_CHANGE_PASSWORD" if declared.temporary else "CONFIRMED",
        )
        if declared.provider:
            groups = (*user.groups, provider_group(pool, declared.provider))
            user = replace(user, groups=groups, status="EXTERNAL_PROVIDER")
        with pool.change() as state:
            state.people[name.lower()] = user
            state.seeded[declared.username] = version


def stable_sub(pool: Pool, username: str) -> str:
    """Return a ``sub`` that is the same after every reset."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{pool.config.id}/{username}"))
