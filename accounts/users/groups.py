"""The rights that a user gets from the groups of a verified token.

A token is applied only if it is newer than the last one applied. Only rights from the mapping are
revoked: the Django groups that it names, and staff or superuser status from it. The rights
of a user who was made superuser by hand do not change.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import ManyToManyField, Q, QuerySet

from ..audit.rights import record_flags, record_groups, single_event
from ..cognito.claims import AccessClaims, IdClaims
from ..cognito.group_mapping import FLAGS, GroupMapping, Rights
from ..core.db import atomic, lasting
from ..core.times import from_timestamp
from ..models import Identity
from ..problems.outage import is_outage
from ..provider import provider
from .copied_claims import concrete_field, describe
from .token_rights import effective_groups

_PERMISSION_CACHES = ("_perm_cache", "_user_perm_cache", "_group_perm_cache")

_log = logging.getLogger(__name__)


def apply_groups(
    user: Any, claims: AccessClaims | IdClaims, identity: Identity | None = None
) -> None:
    """Grant `user` the rights of the groups in these claims, and revoke those that are missing.

    `identity` is that of the claims if it was just read. Otherwise, and if a hook of the host
    project has moved it to `user` since, a token without a change costs one query.
    """
    mapping = provider().group_mapping(claims.pool_id)
    if claims.groups is None and not mapping.absent_means_none:
        return
    if identity is None or identity.user_id != user.pk:
        identity = Identity.objects.get_exact(claims)
    if identity is None or identity.user_id != user.pk:
        return
    issued_at = from_timestamp(claims.issued_at)
    pool_group_names = sorted(set(claims.groups or ()))
    last = identity.groups_as_of
    from_the_pool_just_now = isinstance(claims, IdClaims)
    if last is not None and issued_at == last and not from_the_pool_just_now:
        # `iat` has whole seconds, so the order of two tokens of one second is unknown. An access
        # token of the same second may revoke rights, but grants none.
        pool_group_names = [name for name in pool_group_names if name in identity.groups]
        if pool_group_names == identity.groups:
            return
    elif last is not None and issued_at < last:
        return
    _name_unmapped(mapping, pool_group_names, claims.pool_id)
    with lasting(Identity):
        not_overtaken = Q(groups_as_of=None) | Q(groups_as_of__lte=issued_at)
        current = Identity.objects.filter(not_overtaken, pk=identity.pk)
        if current.update(groups=pool_group_names, groups_as_of=issued_at):
            with single_event(
                reason="pool_groups", pool_username=identity.username, by=None
            ) as changes:
                _sync_rights(user, identity, mapping)
            if changes:
                _clear_permission_cache(user)


def revoke_group_rights(identity: Identity) -> None:
    """Revoke all rights that the groups of this identity gave its user."""
    identity.groups = []
    identity.save(update_fields=["groups"])
    mapping = provider().group_mapping(identity.pool_id)
    with single_event(reason="pool_groups", pool_username=identity.username, by=None) as changes:
        _sync_rights(identity.user, identity, mapping)
    if changes:
        _clear_permission_cache(identity.user)


def _sync_rights(user: Any, identity: Identity, mapping: GroupMapping) -> None:
    # Locked, because the user may sign in with another identity at the same time.
    # A manager of a host project may hide users, or join tables that cannot be locked.
    locked_user: Any = QuerySet(get_user_model()).select_for_update().get(pk=user.pk)
    identities = list(Identity.objects.filter(user=locked_user))
    flags_from_pool = {
        name: any(getattr(identity, name) for identity in identities) for _, _, name in FLAGS
    }
    if getattr(locked_user, "is_superuser", False) and not flags_from_pool["superuser_from_pool"]:
        return
    wanted = Rights()
    for other in identities:
        wanted |= rights_of(other)
    for right, field, mark in FLAGS:
        if concrete_field(type(locked_user), field) is None:
            continue  # a host project's user model may lack this field, or compute it
        wants, has = getattr(wanted, right), getattr(locked_user, field)
        if wants and not has:
            Identity.objects.filter(pk=identity.pk).update(**{mark: True})
        elif has and not wants and flags_from_pool[mark]:
            Identity.objects.filter(user=locked_user).update(**{mark: False})
        else:
            continue
        _save_flag(locked_user, field, wants)
        setattr(user, field, wants)
    _change_groups(locked_user, wanted, mapping)


def _save_flag(user: Any, field: str, value: bool) -> None:
    """Store staff or superuser status, even if the code that runs on `save()` refuses the user."""
    previous = getattr(user, field)
    setattr(user, field, value)
    try:
        with atomic(type(user)):
            user.save(update_fields=[field])
    except Exception as error:
        if is_outage(error):
            raise
        _log.error("%s of user %s was written without save(): %s", field, user.pk, describe(error))
        QuerySet(type(user)).filter(pk=user.pk).update(**{field: value})
        record_flags(user, {field: previous})


def _clear_permission_cache(user: Any) -> None:
    for name in _PERMISSION_CACHES:
        user.__dict__.pop(name, None)


def rights_of(identity: Identity) -> Rights:
    """Return the rights of the groups in the identity's last token."""
    return provider().group_mapping(identity.pool_id).rights(identity.groups)


def _change_groups(locked_user: Any, wanted: Rights, mapping: GroupMapping) -> None:
    """Add the user to the wanted Django groups, and remove them from the mapping's other ones."""
    if not has_groups(type(locked_user)):
        return
    current_names = set(locked_user.groups.values_list("name", flat=True))
    no_longer = (current_names & mapping.django_groups) - wanted.groups
    removed = list(Group.objects.filter(name__in=no_longer))
    # A missing group is created without permissions. An admin adds them.
    missing = sorted(wanted.groups - current_names)
    added = [Group.objects.get_or_create(name=name)[0] for name in missing]
    for groups, change in ((removed, locked_user.groups.remove), (added, locked_user.groups.add)):
        if not groups:
            continue
        try:
            with atomic(type(locked_user)):
                change(*groups)
        except Exception as error:  # of a receiver of m2m_changed, for example
            if is_outage(error):
                raise
            _log.error(
                "Groups of user %s were written directly: %s", locked_user.pk, describe(error)
            )
            _write_groups(locked_user, groups, is_added=groups is added)


def _write_groups(user: Any, groups: list[Group], *, is_added: bool) -> None:
    """Store or delete memberships without sending `m2m_changed`."""
    link = type(user)._meta.get_field("groups")
    members, other = link.remote_field.through._base_manager, link.m2m_reverse_field_name()
    own = {link.m2m_field_name(): user}
    if is_added:
        members.bulk_create(members.model(**own, **{other: group}) for group in groups)
    else:
        members.filter(**own, **{f"{other}__in": groups}).delete()
    record_groups(user, groups, is_added=is_added)


def has_groups(model: Any) -> bool:
    """Return True if users of this model have Django's groups. A host project's may not."""
    field = getattr(getattr(model, "groups", None), "field", None)
    return isinstance(field, ManyToManyField) and field.related_model is Group


def _name_unmapped(mapping: GroupMapping, pool_group_names: list[str], pool_id: str) -> None:
    for name in mapping.unmapped(pool_group_names, pool_id=pool_id):
        _log_unmapped(name, pool_id)


@lru_cache(maxsize=1000)  # one line per group, with bounded memory
def _log_unmapped(name: str, pool_id: str) -> None:
    _log.warning(
        "The group %r of %s gives no rights here: COGNITO_GROUPS doesn't name it.", name, pool_id
    )


def pool_groups(request: Any) -> tuple[str, ...]:
    """Return the groups of the caller that count here, from the access token or the session.

    For a session these are the groups that the pool listed last. The user is read first, which
    renews the sign-in, or finds that it cannot be confirmed.
    """
    claims = getattr(request, "auth", None)
    if isinstance(claims, AccessClaims):
        return effective_groups(claims)
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return ()
    sign_in = getattr(request, "sign_in", None)
    if sign_in is None or sign_in.identity is None:
        return ()
    return effective_groups(sign_in.identity)
