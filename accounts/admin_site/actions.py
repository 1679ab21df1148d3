"""What staff do about people, from lists and from a person's own page.

Each action asks for the right to change people. Nobody but a superuser acts on a superuser.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_permission_codename, get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest

from ..models import SignIn
from ..sessions import ending, sign_out
from ..sessions.deactivation import set_active
from .view_permission import can_view


class ManagesPeople:
    """Mixin for ModelAdmin: `permissions=["manage_people"]` of an action means this."""

    def has_manage_people_permission(self, request: HttpRequest) -> bool:
        return may_manage_people(request)


def may_manage_people(request: HttpRequest) -> bool:
    """Whether this member of staff may change people at all."""
    opts = get_user_model()._meta
    codename = get_permission_codename("change", opts)
    return bool(request.user.has_perm(f"{opts.app_label}.{codename}"))


def may_act_on(request: HttpRequest, person: Any) -> bool:
    """Whether this member of staff is not below the person."""
    return bool(
        getattr(request.user, "is_superuser", False) or not getattr(person, "is_superuser", False)
    )


def people_meant(request: HttpRequest, rows: QuerySet[Any]) -> list[Any]:
    """The people meant by rows of people, identities or sign-ins."""
    users = rows
    if rows.model is not get_user_model():
        users = get_user_model()._default_manager.filter(pk__in=rows.values("user"))
    found = list(users)
    allowed = [user for user in found if may_act_on(request, user)]
    _tell_of_superusers(request, left_out=len(found) - len(allowed))
    return allowed


def _tell_of_superusers(request: HttpRequest, *, left_out: int) -> None:
    if left_out:
        messages.error(request, "Only a superuser does this to a superuser: left as they were.")


def _tell(request: HttpRequest, sentence: str, *, reached: bool) -> None:
    messages.success(request, sentence)
    if not reached:
        messages.warning(request, sign_out.UNREACHED_FOR_OPERATORS)


@admin.action(permissions=["manage_people"], description="Sign out everywhere")
def sign_out_everywhere(modeladmin: Any, request: HttpRequest, rows: QuerySet[Any]) -> None:
    people = people_meant(request, rows)
    if not people:
        return
    done = [sign_out.sign_out_everywhere(user, request=request, by=request.user) for user in people]
    sentence = f"{len(done)} signed out everywhere"
    if can_view(request, SignIn):
        sentence += f": sessions ended: {sum(one.ended for one in done)}"
    _tell(request, f"{sentence}.", reached=all(one.reached for one in done))


@admin.action(permissions=["manage_people"], description="Deactivate, ending all sessions")
def deactivate(modeladmin: Any, request: HttpRequest, rows: QuerySet[Any]) -> None:
    """Nobody locks themselves out by it."""
    people = [user for user in people_meant(request, rows) if user.is_active]
    if any(user.pk == request.user.pk for user in people):
        messages.error(request, "You can't deactivate yourself: ask another admin.")
        people = [user for user in people if user.pk != request.user.pk]
    for user in people:
        set_active(user, False)
        modeladmin.log_change(request, user, "Deactivated.")
    messages.success(request, f"Deactivated: {len(people)}.")


@admin.action(permissions=["manage_people"], description="Activate again")
def activate(modeladmin: Any, request: HttpRequest, rows: QuerySet[Any]) -> None:
    people = [user for user in people_meant(request, rows) if not user.is_active]
    for user in people:
        set_active(user, True)
        modeladmin.log_change(request, user, "Activated again.")
    messages.success(request, f"Activated again: {len(people)}.")


@admin.action(permissions=["manage_people"], description="End these sign-ins")
def end_sign_ins(modeladmin: Any, request: HttpRequest, rows: QuerySet[SignIn]) -> None:
    found = list(rows.select_related("user").filter(ended_at=None))
    live = [row for row in found if may_act_on(request, row.user)]
    _tell_of_superusers(request, left_out=len(found) - len(live))
    reason = SignIn.EndReason.BY_OPERATOR
    pending = [ending.end(row, reason=reason, request=request, by=request.user) for row in live]
    _tell(request, f"Sign-ins ended: {len(live)}.", reached=ending.revoke(pending))
