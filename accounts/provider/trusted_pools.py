"""COGNITO_TRUSTED_POOLS: further user pools whose tokens are accepted. Plain Python.

A JSON object, pool ID -> an object with the accepted app clients and the meaning of their tokens:

    {"eu-west-1_Partner12": {
        "clients": ["3examplepartner12345"],
        "groups": {"their-editors": "editors"},
        "scopes": ["stats/read"]
    }}

`groups` are rules as in COGNITO_GROUPS. `scopes` are the scopes that its tokens may use here. If
they are missing, the groups and scopes of its tokens have no effect. `issuer` and `jwks_url` are
for a local or custom endpoint only.
"""

from __future__ import annotations

from typing import Any, TypeGuard

from ..cognito.config import TrustedPool
from ..cognito.errors import ConfigurationError

_MEMBERS = {"clients", "groups", "scopes", "issuer", "jwks_url"}


def parse_trusted_pool(pool_id: str, members: Any) -> TrustedPool:
    """Return the pool of one entry. Raises ConfigurationError that names the wrong member."""
    if not isinstance(members, dict) or not members.keys() <= _MEMBERS:
        raise _error(pool_id, 'must be an object like {"clients": ["…"]}')
    clients, scopes = members.get("clients"), members.get("scopes", [])
    if not _is_list_of_strings(clients):
        raise _error(pool_id, "must list its app client IDs under clients")
    if not _is_list_of_strings(scopes):
        raise _error(pool_id, "must list the scopes that its tokens may use here under scopes")
    return TrustedPool(
        pool_id=pool_id,
        accepted_clients=tuple(clients),
        issuer=str(members.get("issuer", "")),
        jwks_url=str(members.get("jwks_url", "")),
        scopes=tuple(scopes),
    )


def _is_list_of_strings(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _error(pool_id: str, problem: str) -> ConfigurationError:
    return ConfigurationError({"COGNITO_TRUSTED_POOLS": f"(pool {pool_id!r}) {problem}"})
