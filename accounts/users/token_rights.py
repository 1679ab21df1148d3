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
from ..provider.client_rights import ClientRights


def client_rights(claims: AccessClaims) -> ClientRights:
    """Return the most that the app client of this token can do."""
    config = provider().config
    # A trusted pool may list a client of the same id, which is not ours.
    if (claims.issuer, claims.client_id) == (config.issuer, config.client_id):
        return ClientRights.STAFF
    return provider().client_rights.get(claims.client_id, ClientRights.WRITE)


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
    mapping = provider().group_mapping(source.issuer)
    groups = tuple(
        name
        for name in source.groups or ()
        if not (is_limited and mapping.rights([name]).gives_status)
    )
    if source.issuer == provider().config.issuer:
        return groups
    return tuple(sorted(mapping.rights(groups).groups))


def effective_scopes(claims: AccessClaims) -> frozenset[str]:
    """Return the scopes that count here: for a trusted pool only those that are listed for it."""
    if claims.issuer == provider().config.issuer:
        return claims.scopes
    return claims.scopes & provider().trusted_scopes.get(claims.issuer, frozenset())
