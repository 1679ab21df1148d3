"""Everything that is held about one person, found by following what points at them.

Tokens, keys and password hashes are no data about a person and are left out.
"""

from __future__ import annotations

from typing import Any

from django.db.models import ForeignObjectRel, Model, Q, QuerySet

from .models import Identity, SignIn, SignInEvent

_SECRET = {"password", "key", "sealed_tokens", "lease_owner", "lease_until"}


def personal_data(user: Any) -> dict[str, Any]:
    """What JSON can hold (with Django's encoder): the account, and lists of rows by model."""
    rows = {_label(each): list(map(_values, queryset)) for each, queryset in _related(user)}
    rows[SignInEvent._meta.label] = list(map(_values, events_about(user)))
    many = {
        field.name: [str(each) for each in getattr(user, field.name).all()]
        for field in user._meta.many_to_many
    }
    return {"account": _values(user) | many, "rows": {name: of for name, of in rows.items() if of}}


def events_about(user: Any) -> QuerySet[SignInEvent]:
    """Their own, and those of attempts that were theirs before anybody knew."""
    references = SignIn.objects.filter(user=user).exclude(reference="").values("reference")
    usernames = Identity.objects.filter(user=user).exclude(username="").values("username")
    theirs = Q(user=user) | Q(reference__in=references) | Q(user=None, person__in=usernames)
    return SignInEvent.objects.filter(theirs)


def _related(user: Any) -> list[tuple[ForeignObjectRel, QuerySet[Any]]]:
    """What points at the person, also where the model hides it (`related_name="+"`)."""
    return [
        (relation, relation.related_model._default_manager.filter(**{relation.field.name: user}))
        for relation in user._meta.get_fields(include_hidden=True)
        if isinstance(relation, ForeignObjectRel)
        and not relation.many_to_many
        and not relation.related_model._meta.auto_created
        and relation.related_model is not SignInEvent
    ]


def _label(relation: ForeignObjectRel) -> str:
    return f"{relation.related_model._meta.label} ({relation.field.name})"


def _values(row: Model) -> dict[str, Any]:
    return {
        field.name: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.name not in _SECRET
    }
