"""Whom an operator means at the command line."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q

from ..models import Identity
from ..problems.errors import NobodyMeant


def person_called(name: str) -> Any:
    """The user with this username at the pool, e-mail address, user id (sub) or username here.

    Raises NobodyMeant.
    """
    model = get_user_model()
    identities = Identity.objects.filter(Q(username=name) | Q(email=name) | Q(subject=name))
    found = list(
        model._default_manager.filter(
            Q(pk__in=identities.values("user")) | Q(**{model.USERNAME_FIELD: name})
        )
    )
    if not found:
        raise NobodyMeant(f"Nobody here is called {name}. Look in the admin under Identities.")
    if len(found) > 1:
        subjects = Identity.objects.filter(user__in=found).values_list("subject", flat=True)
        raise NobodyMeant(
            f"{len(found)} people are called {name}. Use a user id (sub): {', '.join(subjects)}."
        )
    return found[0]
