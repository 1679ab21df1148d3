"""The lookup of a user by the name that an operator enters."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Q

from ..models import Identity
from ..problems.errors import UserLookupError


def get_user_by_name(name: str) -> Any:
    """Return the user with this username (pool or here), email address, or user ID (sub).

    Raises UserLookupError if no user matches, or several.
    """
    model: Any = get_user_model()
    identities = Identity.objects.filter(Q(username=name) | Q(email=name) | Q(subject=name))
    is_named = Q(pk__in=identities.values("user"))
    with suppress(ValidationError):  # a username of this site may be a number or a UUID
        username = model._meta.get_field(model.USERNAME_FIELD).to_python(name)
        is_named |= Q(**{model.USERNAME_FIELD: username})
    users = list(model._default_manager.filter(is_named))
    if not users:
        raise UserLookupError(
            f'No user matches "{name}". Search in the admin under Identities, and use the user ID '
            "(sub)."
        )
    if len(users) > 1:
        subjects = list(Identity.objects.filter(user__in=users).values_list("subject", flat=True))
        kind, names = "user IDs (sub)", subjects
        if len(set(subjects)) < len(subjects):  # one pool user has several accounts
            kind, names = "usernames of this site", [str(user.get_username()) for user in users]
        raise UserLookupError(
            f'{len(users)} users match "{name}". Use one of these {kind}: {", ".join(names)}.'
        )
    return users[0]
