"""Everything that is stored about one user, found through the relations to the user model.

Objects that a manager hides are included, and objects that belong to them. The exported fields
depend on the model: see sensitive_fields. Generic foreign keys are not followed, except in the
admin's log.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models import ForeignObjectRel, Model, Q, QuerySet

from ..models import Identity, PendingRevocation, Revocation, SignIn, SignInEvent, pool_of
from .deletion_preview import preview_deletion
from .django_sessions import StoredSession, sessions_of
from .sensitive_fields import exported_fields, exported_values

QuerySets = dict[str, QuerySet[Any]]  # by their name in the export


def personal_data(user: Any) -> dict[str, Any]:
    """Return the user, the related objects by model, and what is left out, for Django's encoder.

    `counts` has the numbers of objects whose models list no fields, and of other users. `withheld`
    has the fields that are left out of the other models.
    """
    rows: dict[str, list[Any]] = {}
    counts: dict[str, int] = {}
    models: set[type[Model]] = {type(user)}
    for name, queryset in (_related(user) | _without_relation(user) | _cascading(user)).items():
        if queryset.model is type(user) or not exported_fields(queryset.model):
            counts[name] = queryset.count()
        elif values := list(map(exported_values, queryset)):
            rows[name] = values
            models.add(queryset.model)
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
    """Return the user's events, including attempts from before the user was known.

    They are not found by name, because a pool username may have belonged to another user.
    """
    unknown = Q(reference__in=_references(user)) | Q(details__subject__in=_subjects(user))
    return SignInEvent.objects.filter(Q(user=user) | Q(unknown, user=None))


def acted_events(user: Any) -> QuerySet[SignInEvent]:
    """Return the events about other users that this user caused."""
    return SignInEvent.objects.filter(details__by_id=str(user.pk)).exclude(user=user)


def invitations_of(user: Any) -> QuerySet[SignInEvent]:
    """Return the invitations of this user by others."""
    invited = Q(details__has_key="invited", details__subject__in=_subjects(user))
    return SignInEvent.objects.filter(invited).exclude(user=user)


def admin_log_about(user: Any) -> QuerySet[Any] | None:
    """Return the admin's log entries about this user, or None if the admin is not installed."""
    if not apps.is_installed("django.contrib.admin"):
        return None
    content_type = apps.get_model("contenttypes", "ContentType").objects.get_for_model(user)
    entries = apps.get_model("admin", "LogEntry")._default_manager
    return entries.filter(content_type=content_type, object_id=str(user.pk))


def _without_relation(user: Any) -> QuerySets:
    """Return the objects that identify the user without a relation."""
    label, entries = SignInEvent._meta.label, admin_log_about(user)
    querysets: QuerySets = {
        label: events_about(user),
        f"{label} (by)": acted_events(user),
        f"{label} (invited)": invitations_of(user),
        Revocation._meta.label: _revocations(user),
        PendingRevocation._meta.label: PendingRevocation.objects.filter(
            reference__in=_references(user)
        ),
    }
    if entries is not None:
        querysets[f"{entries.model._meta.label} (about)"] = entries
    return querysets


def _references(user: Any) -> QuerySet[Any]:
    return SignIn.objects.filter(user=user).exclude(reference="").values("reference")


def _subjects(user: Any) -> list[str]:
    return list(Identity.objects.filter(user=user).values_list("subject", flat=True))


def _revocations(user: Any) -> QuerySet[Revocation]:
    """Return the revocations of the user's sign-ins, and of all tokens of an identity."""
    condition = Q(
        token_id__in=SignIn.objects.filter(user=user).exclude(origin_jti="").values("origin_jti")
    )
    for identity in Identity.objects.filter(user=user):
        condition |= Q(pool_id=pool_of(identity), subject=identity.subject)
    return Revocation.objects.filter(condition)


def _related(user: Any) -> QuerySets:
    """Return the objects with a relation to the user, even a hidden one (`related_name="+"`)."""
    return {
        _name_of(relation): relation.related_model._base_manager.filter(
            **{relation.field.name: user}
        )
        for relation in _relations(user)
        if relation.related_model is not SignInEvent
    }


def _cascading(user: Any) -> QuerySets:
    """Return the objects without a relation that deleting the user would delete."""
    direct = {type(user), *(relation.related_model for relation in _relations(user))}
    return {
        group.model._meta.label: group.model._base_manager.filter(
            pk__in=[instance.pk for instance in group.instances]
        )
        for group in preview_deletion(user).deleted
        if group.model not in direct and not group.model._meta.auto_created
    }


def _relations(user: Any) -> list[ForeignObjectRel]:
    return [
        relation
        for relation in user._meta.get_fields(include_hidden=True)
        if isinstance(relation, ForeignObjectRel) and not relation.related_model._meta.auto_created
    ]


def _name_of(relation: ForeignObjectRel) -> str:
    return f"{relation.related_model._meta.label} ({relation.field.name})"


def _withheld(model: type[Model]) -> list[str]:
    fields = {*model._meta.concrete_fields, *model._meta.many_to_many}
    return sorted(field.name for field in fields.difference(exported_fields(model)))


def _session(stored: StoredSession) -> dict[str, Any]:
    """Return the device and the times of a session. Its key and its content are left out."""
    sign_in = stored.sign_in
    where = ("device", "ip_address", "signed_in_at") if sign_in else ()
    return {"expires_at": stored.expires_at} | {name: getattr(sign_in, name) for name in where}
