"""Whether a user has data or rights of its own. A link to another user may delete only one without.

Such a user was created because its identity called the API before an operator linked it.
"""

from __future__ import annotations

from typing import Any

from ..models import Identity, SignIn, SignInEvent
from ..privacy.deletion_preview import AffectedInstances, preview_deletion
from ..problems.errors import LinkError
from ..users import groups


def require_empty_user(identity: Identity) -> None:
    """Check that the user of `identity` has no data and no rights of its own. Raises LinkError."""
    user = identity.user
    linked_to = f"This identity is linked to {user.get_username()}, who"
    next_step = (
        "Compare both users, then erase one of them (`manage.py cognito_erase_user`), or unlink"
        " this identity first (`manage.py cognito_link_users` with --undo)."
    )
    if not getattr(user, "is_active", True):  # a link must not restore the access of this user
        raise LinkError(f"{linked_to} is deactivated. {next_step}")
    if other := Identity.objects.filter(user=user).exclude(pk=identity.pk).first():
        raise LinkError(f"{linked_to} is also linked to {other}. {next_step}")
    if objects := related_objects(user):
        listing = ", ".join(map(str, objects))
        raise LinkError(f"{linked_to} has data here ({listing}). {next_step}")
    has_manual_rights = (
        (getattr(user, "is_staff", False) and not identity.staff_from_pool)
        or (getattr(user, "is_superuser", False) and not identity.superuser_from_pool)
        or user.has_usable_password()
        or _has_manual_groups(identity)
    )
    if has_manual_rights:
        raise LinkError(f"{linked_to} has rights or a password that were set here. {next_step}")


def _has_manual_groups(identity: Identity) -> bool:
    user, pool_groups = identity.user, groups.rights_of(identity).groups
    return groups.has_groups(type(user)) and user.groups.exclude(name__in=pool_groups).exists()


def related_objects(user: Any) -> list[AffectedInstances]:
    """Return the user's permissions, and the objects of the host project that refer to the user."""
    own_models = {type(user), Identity, SignIn, SignInEvent}
    if groups.has_groups(type(user)):
        own_models.add(type(user).groups.through)
    deletion = preview_deletion(user)
    affected = [*deletion.deleted, *deletion.nullified, *deletion.protected]
    return [objects for objects in affected if objects.model not in own_models]
