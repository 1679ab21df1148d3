"""What the groups and scopes of a token count for on this site.

Groups and scopes count as issued only if our own user pool issued them. Whoever administers a
trusted pool can create a group or a scope of any name there. Of such a pool, only the rules and the
scopes that `COGNITO_TRUSTED_POOLS` lists for it count. Everything that decides by groups or scopes
reads them here, never from the claims.
"""

from __future__ import annotations

from .cognito.claims import AccessClaims
from .models import Identity
from .provider import provider


def effective_groups(source: AccessClaims | Identity) -> tuple[str, ...]:
    """Return the groups that count here: for our own pool its groups, as the pool names them.

    For a trusted pool these are the Django groups that its rules give for its groups. A machine is
    in no group, whatever its token contains.
    """
    if isinstance(source, AccessClaims) and source.is_machine:
        return ()
    mapping = provider().group_mappings.get(source.issuer)
    if mapping is None:
        return ()
    groups = tuple(source.groups or ())
    if source.issuer == provider().config.issuer:
        return groups
    return tuple(sorted(mapping.rights(groups).groups))


def effective_scopes(claims: AccessClaims) -> frozenset[str]:
    """Return the scopes that count here: for a trusted pool only those that are listed for it."""
    if claims.issuer == provider().config.issuer:
        return claims.scopes
    return claims.scopes & provider().trusted_scopes.get(claims.issuer, frozenset())
