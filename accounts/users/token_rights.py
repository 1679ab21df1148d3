"""The groups and scopes of a token that take effect on this site.

Groups and scopes of our own user pool take effect as issued. The administrator of a trusted pool
can create a group or a scope of any name, so only the rules and scopes take effect that
`COGNITO_TRUSTED_POOLS` lists. Read groups and scopes here, never from the claims. The app client
sets a limit, too.
"""

from __future__ import annotations

from ..cognito.claims import AccessClaims
from ..models import Identity
from ..provider import provider
from ..provider.client_rights import UNLISTED, ClientRights


def client_rights(claims: AccessClaims) -> ClientRights:
    """Return the most that the app client of this token can do."""
    config, rights = provider().config, provider().client_rights
    own_client = config.pool_id, config.client_id
    default = ClientRights.WRITE
    if _is_unlisted(claims):
        default = rights.get(UNLISTED, ClientRights.READ)
    # A trusted pool may list a client of the same ID, and a service may act through ours.
    elif (claims.pool_id, claims.client_id) == own_client and not claims.actors:
        return ClientRights.STAFF
    return rights.get(claims.client_id, default)


def _is_unlisted(claims: AccessClaims) -> bool:
    """Return True if the token is of an app client of our pool that no setting lists."""
    config = provider().config
    return claims.pool_id == config.pool_id and claims.client_id not in config.accepted_clients


def effective_groups(source: AccessClaims | Identity) -> tuple[str, ...]:
    """Return the groups that count here: for our own pool its groups, as the pool names them.

    For a trusted pool these are the Django groups that its rules give for its groups. A machine is
    in no group, whatever its token contains. Through a limited app client, groups that give staff
    or superuser status do not count.
    """
    is_limited = False
    if isinstance(source, AccessClaims):
        if source.is_machine:
            return ()
        is_limited = client_rights(source) is not ClientRights.STAFF
    mapping = provider().group_mapping(source.pool_id)
    groups = tuple(
        name
        for name in source.groups or ()
        if not (is_limited and mapping.rights([name]).gives_status)
    )
    if source.pool_id == provider().config.pool_id:
        return groups
    return tuple(sorted(mapping.rights(groups).groups))


def effective_scopes(claims: AccessClaims) -> frozenset[str]:
    """Return the scopes that count here.

    For a trusted pool and for app clients that are not listed, these are the scopes that a setting
    lists for them.
    """
    if _is_unlisted(claims):
        return claims.scopes & provider().pool.rules.unlisted_scopes
    listed = provider().pools[claims.pool_id].scopes
    return claims.scopes if listed is None else claims.scopes.intersection(listed)
