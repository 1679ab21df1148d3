"""COGNITO_TRUSTED_POOLS: further user pools whose tokens are accepted. Plain Python.

A JSON object, pool ID -> an object with the accepted app clients and the meaning of their tokens:

    {"eu-west-1_Partner12": {
        "clients": ["3examplepartner12345"],
        "groups": {"their-editors": "editors"},
        "scopes": ["stats/read"]
    }}

`groups` are rules as in COGNITO_GROUPS. `scopes` are the scopes that its tokens may use here. If
they are missing, the groups and scopes of its tokens have no effect. `replica_regions` are as in
COGNITO_REPLICA_REGIONS. `issuer` and `jwks_url` are for a local or custom endpoint only.
"""

from __future__ import annotations

from typing import Any, TypeGuard

from ..cognito.errors import ConfigurationError
from ..cognito.group_mapping import GroupMapping, parse_rules
from ..cognito.pool import Pool
from ..cognito.token_checks import AccessRules

_MEMBERS = {"clients", "groups", "scopes", "replica_regions", "issuer", "jwks_url"}


def parse_trusted_pool(pool_id: str, members: Any, own: Pool) -> Pool:
    """Return the pool of one entry. Raises ConfigurationError that names every wrong member.

    The resources and COGNITO_GROUPS_ABSENT_MEANS_NONE are those of our `own` pool. Unlisted app
    clients and actors are accepted from our own pool only.
    """
    if not isinstance(members, dict) or not members.keys() <= _MEMBERS:
        raise _error(pool_id, 'must be an object like {"clients": ["…"]}')
    clients, issuers = members.get("clients"), members.get("issuer", [])
    scopes, regions = members.get("scopes", []), members.get("replica_regions", [])
    if not _is_list_of_strings(clients) or not clients:
        raise _error(pool_id, "must list its app client IDs under clients")
    if not _is_list_of_strings(scopes):
        raise _error(pool_id, "must list the scopes that its tokens may use here under scopes")
    if not _is_list_of_strings(regions):
        raise _error(pool_id, "must list the Regions of its replicas under replica_regions")
    issuers = [issuers] if isinstance(issuers, str) and issuers else issuers or []
    if not _is_list_of_strings(issuers):
        raise _error(pool_id, "must have an issuer, or a list of them, under issuer")
    try:
        rules = parse_rules(members.get("groups") or {})
    except ValueError as error:
        raise _error(pool_id, str(error)) from error
    try:
        return Pool(
            pool_id=pool_id,
            client_ids=tuple(clients),
            custom_issuers=tuple(issuers),
            jwks_url=str(members.get("jwks_url", "")),
            replica_regions=tuple(regions),
            rules=AccessRules(resources=own.rules.resources),
            groups=GroupMapping(rules, own.groups.absent_means_none),
            scopes=tuple(scopes),
        )
    except ConfigurationError as error:
        # All values are members of one variable, so the sentence names the wrong members.
        problems = (
            f"{name.removeprefix('COGNITO_').removeprefix('ACCEPTED_').lower()} {problem}"
            for name, problem in error.problems.items()
        )
        raise _error(pool_id, ", ".join(problems)) from error


def _is_list_of_strings(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _error(pool_id: str, problem: str) -> ConfigurationError:
    return ConfigurationError({"COGNITO_TRUSTED_POOLS": f"(pool {pool_id!r}) {problem}"})
