"""Everything that is stored about one user, found by following the relations to the user model.

Rows that a manager hides are included, and rows that belong to those rows. What is shown of a row
depends on its model: see sensitive_fields. Generic foreign keys are not followed, except in the
admin's log.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models import ForeignObjectRel, Model, Q, QuerySet

from ..models import Identity, PendingRevocation, Revocation, SignIn, SignInEvent
from .deletion_preview import deletion_of
from .django_sessions import StoredSession, sessions_of
from .sensitive_fields import exported_fields, exported_values

Found = dict[str, QuerySet[Any]]  # by the name it has in the export


def personal_data(user: Any) -> dict[str, Any]:
    """Return the account, its rows by model, and what is left out, as JSON with Django's encoder.

    `counts` has the numbers of rows whose models list no fields, and of other users. `withheld` has
    the fields that are left out of the other models.
    """
    rows: dict[str, list[Any]] = {}
    counts: dict[str, int] = {}
    models: set[type[Model]] = {type(user)}
    for name, found in (_pointing_at(user) | _known_by_name(user) | _going_along(user)).items():
        if found.model is type(user) or not exported_fields(found.model):
            counts[name] = found.count()
        elif values := list(map(exported_values, found)):
            rows[name] = values
            models.add(found.model)
    if sessions := list(map(_session, sessions_of(user))):
        rows["sessions"] = sessions
    withheld = {model._meta.label: _withheld(model) for model in models}
    return {
        "account": exported_values(user),
        "rows": rows,
        "counts": {name: count for name, count in counts.items() if count},
        "withheld": {label: names for label, names in sorted(withheld.items()) if names},
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
    """Return the rows with a relation to the user, also if it is hidden (`related_name="+"`)."""
    return {
        _named(each): each.related_model._base_manager.filter(**{each.field.name: user})
        for each in _relations(user)
        if each.related_model is not SignInEvent
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


def _relations(user: Any) -> list[ForeignObjectRel]:
    return [
        relation
        for relation in user._meta.get_fields(include_hidden=True)
        if isinstance(relation, ForeignObjectRel) and not relation.related_model._meta.auto_created
    ]


def _named(relation: ForeignObjectRel) -> str:
    return f"{relation.related_model._meta.label} ({relation.field.name})"


def _withheld(model: type[Model]) -> list[str]:
    fields = {*model._meta.concrete_fields, *model._meta.many_to_many}
    return sorted(field.name for field in fields.difference(exported_fields(model)))


def _session(stored: StoredSession) -> dict[str, Any]:
    """Return where and until when; never the key, or what the site has stored in the session."""
    sign_in = stored.sign_in
    where = ("device", "ip_address", "signed_in_at") if sign_in else ()
    return {"expires_at": stored.expires_at} | {name: getattr(sign_in, name) for name in where}
