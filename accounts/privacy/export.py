"""Everything that is held about one person, found by following what points at them: rows of any
model, hidden by no manager, and what belongs to those rows.

Secrets are no data about a person and are left out (`withheld.py`); the export names the columns.
A model's generic foreign keys are not followed, but for the admin's log.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models import ForeignObjectRel, Model, Q, QuerySet

from ..models import Identity, PendingRevocation, Revocation, SignIn, SignInEvent
from .deletion_preview import deletion_of
from .django_sessions import StoredSession, sessions_of
from .sensitive_fields import shown_name, sounds_secret, withheld_columns

Found = dict[str, QuerySet[Any]]  # by the name it has in the export


def personal_data(user: Any) -> dict[str, Any]:
    """What JSON can hold (with Django's encoder): the account, lists of rows by model, and the
    columns that are withheld, by model."""
    whole = _pointing_at(user) | _known_by_name(user) | _going_along(user)
    rows: dict[str, list[Any]] = {name: list(map(_values, found)) for name, found in whole.items()}
    rows |= {name: list(map(shown_name, found)) for name, found in _belonging(user).items()}
    rows["sessions"] = list(map(_session, sessions_of(user)))
    models: set[type[Model]] = {type(user)}
    models |= {found.model for name, found in whole.items() if rows[name]}
    withheld = {model._meta.label: sorted(withheld_columns(model)) for model in models}
    return {
        "account": _values(user) | _many(user),
        "rows": {name: found for name, found in rows.items() if found},
        "withheld": {label: columns for label, columns in sorted(withheld.items()) if columns},
    }


def events_about(user: Any) -> QuerySet[SignInEvent]:
    """Their own, and those of attempts that were theirs before anybody knew.

    Never by name: one at the pool may have been somebody else's before.
    """
    unknown = Q(reference__in=_references(user)) | Q(details__subject__in=_subjects(user))
    return SignInEvent.objects.filter(Q(user=user) | Q(unknown, user=None))


def acted_events(user: Any) -> QuerySet[SignInEvent]:
    """What they did to others."""
    return SignInEvent.objects.filter(details__by_id=str(user.pk)).exclude(user=user)


def invitations_of(user: Any) -> QuerySet[SignInEvent]:
    """How others invited them."""
    invited = Q(details__has_key="invited", details__subject__in=_subjects(user))
    return SignInEvent.objects.filter(invited).exclude(user=user)


def admin_log_about(user: Any) -> QuerySet[Any] | None:
    """What staff did to this account in the admin; those rows hold its name. None without it."""
    if not apps.is_installed("django.contrib.admin"):
        return None
    content_type = apps.get_model("contenttypes", "ContentType").objects.get_for_model(user)
    entries = apps.get_model("admin", "LogEntry")._default_manager
    return entries.filter(content_type=content_type, object_id=str(user.pk))


def _known_by_name(user: Any) -> Found:
    """Rows that hold who it is without a relation to the account."""
    label, entries = SignInEvent._meta.label, admin_log_about(user)
    found: Found = {
        label: events_about(user),
        f"{label} (by)": acted_events(user),
        f"{label} (invited)": invitations_of(user),
        Revocation._meta.label: _revocations(user),
        PendingRevocation._meta.label: PendingRevocation.objects.filter(
            reference__in=_references(user)
        ),
    }
    return found if entries is None else found | {f"{entries.model._meta.label} (about)": entries}


def _references(user: Any) -> QuerySet[Any]:
    return SignIn.objects.filter(user=user).exclude(reference="").values("reference")


def _subjects(user: Any) -> list[str]:
    return list(Identity.objects.filter(user=user).values_list("subject", flat=True))


def _revocations(user: Any) -> QuerySet[Revocation]:
    """Of all their tokens, and of single sign-ins."""
    theirs = Q(
        token_id__in=SignIn.objects.filter(user=user).exclude(origin_jti="").values("origin_jti")
    )
    for identity in Identity.objects.filter(user=user):
        theirs |= Q(issuer=identity.issuer, subject=identity.subject)
    return Revocation.objects.filter(theirs)


def _pointing_at(user: Any) -> Found:
    """Rows whose foreign key is the person, also where the model hides it (`related_name="+"`)."""
    return {
        _named(each): each.related_model._base_manager.filter(**{each.field.name: user})
        for each in _relations(user)
        if not each.many_to_many and each.related_model is not SignInEvent
    }


def _going_along(user: Any) -> Found:
    """Rows that belong to their rows: what would be deleted together with the account."""
    direct = {type(user), *(each.related_model for each in _relations(user))}
    return {
        each.model._meta.label: each.model._base_manager.filter(
            pk__in=[row.pk for row in each.rows]
        )
        for each in deletion_of(user).going
        if each.model not in direct and not each.model._meta.auto_created
    }


def _belonging(user: Any) -> Found:
    """Rows that list the person among others: they are somebody else's too, so only named."""
    return {
        _named(each): each.related_model._base_manager.filter(**{each.field.name: user})
        for each in _relations(user)
        if each.many_to_many
    }


def _relations(user: Any) -> list[ForeignObjectRel]:
    return [
        relation
        for relation in user._meta.get_fields(include_hidden=True)
        if isinstance(relation, ForeignObjectRel) and not relation.related_model._meta.auto_created
    ]


def _named(relation: ForeignObjectRel) -> str:
    return f"{relation.related_model._meta.label} ({relation.field.name})"


def _many(user: Any) -> dict[str, list[str]]:
    return {
        field.name: list(map(shown_name, getattr(user, field.name).all()))
        for field in user._meta.many_to_many
    }


def _values(row: Model) -> dict[str, Any]:
    withheld = withheld_columns(type(row))
    return {
        field.name: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.name not in withheld
    }


def _session(stored: StoredSession) -> dict[str, Any]:
    """Where and how long, and what the site put into it; never the key that opens it."""
    row = stored.sign_in
    where = (
        {"device": row.device, "ip_address": row.ip_address, "signed_in_at": row.signed_in_at}
        if row
        else {}
    )
    return {"expires_at": stored.expires_at, **where, "content": _told(stored.content)}


def _told(content: Any) -> Any:
    """Without what has a secret's name, however deep it stands."""
    if isinstance(content, dict):
        return {name: _told(each) for name, each in content.items() if not sounds_secret(str(name))}
    return [_told(each) for each in content] if isinstance(content, list) else content
