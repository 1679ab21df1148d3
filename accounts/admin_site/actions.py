"""Actions for users in the admin, on lists and on the page of a user.

Each action requires the permission to change users. Only a superuser can change another superuser.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_permission_codename, get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import SignIn
from ..models.users import can_be_deactivated
from ..sessions import ending, sign_out
from ..sessions.deactivation import set_active
from .view_permission import can_view


class UserActionsMixin:
    """Mixin for ModelAdmin: the checks behind the `permissions` of the actions."""

    def has_manage_users_permission(self, request: HttpRequest) -> bool:
        return can_manage_users(request)

    def has_deactivate_users_permission(self, request: HttpRequest) -> bool:
        return can_be_deactivated() and can_manage_users(request)


def can_manage_users(request: HttpRequest) -> bool:
    """Return True if the staff user has the permission to change users."""
    opts = get_user_model()._meta
    codename = get_permission_codename("change", opts)
    return bool(request.user.has_perm(f"{opts.app_label}.{codename}"))


def can_act_on(request: HttpRequest, user: Any) -> bool:
    """Return False if `user` is a superuser and the staff user is not."""
    return bool(
        getattr(request.user, "is_superuser", False) or not getattr(user, "is_superuser", False)
    )


def selected_users(request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
    """Return the users of selected users, identities or sign-ins, without skipped superusers."""
    users = queryset
    if queryset.model is not get_user_model():
        users = get_user_model()._default_manager.filter(pk__in=queryset.values("user"))
    allowed = [user for user in users if can_act_on(request, user)]
    _warn_of_superusers(request, skipped_count=len(users) - len(allowed))
    return allowed


def _warn_of_superusers(request: HttpRequest, *, skipped_count: int) -> None:
    if skipped_count:
        messages.error(
            request, _("Superusers were skipped. Only a superuser can change another superuser.")
        )


def _message(request: HttpRequest, text: str, *, cognito_reached: bool) -> None:
    messages.success(request, text)
    if not cognito_reached:
        messages.warning(request, _(sign_out.UNREACHED_FOR_OPERATORS))


@admin.action(permissions=["manage_users"], description=gettext_lazy("Sign out everywhere"))
def sign_out_everywhere(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> None:
    users = selected_users(request, queryset)
    if not users:
        return
    results = [
        sign_out.sign_out_everywhere(user, request=request, by=request.user) for user in users
    ]
    text = _("Signed out everywhere: %(count)d.") % {"count": len(results)}
    if can_view(request, SignIn):
        ended = sum(result.count for result in results)
        text = f"{text} " + _("Sessions ended: %(count)d.") % {"count": ended}
    _message(request, text, cognito_reached=all(result.cognito_reached for result in results))


@admin.action(
    permissions=["deactivate_users"], description=gettext_lazy("Deactivate and end all sessions")
)
def deactivate(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> None:
    """Deactivate the selected users, except the staff user who runs the action."""
    users = [user for user in selected_users(request, queryset) if user.is_active]
    if any(user.pk == request.user.pk for user in users):
        messages.error(request, _("You can't deactivate your own account. Ask another admin."))
        users = [user for user in users if user.pk != request.user.pk]
    for user in users:
        set_active(user, False)
        modeladmin.log_change(request, user, "Deactivated.")
    messages.success(request, _("Deactivated: %(count)d.") % {"count": len(users)})


@admin.action(permissions=["deactivate_users"], description=gettext_lazy("Activate again"))
def activate(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> None:
    users = [user for user in selected_users(request, queryset) if not user.is_active]
    for user in users:
        set_active(user, True)
        modeladmin.log_change(request, user, "Activated again.")
    messages.success(request, _("Activated again: %(count)d.") % {"count": len(users)})


@admin.action(permissions=["manage_users"], description=gettext_lazy("End selected sign-ins"))
def end_sign_ins(modeladmin: Any, request: HttpRequest, queryset: QuerySet[SignIn]) -> None:
    live = queryset.select_related("user").filter(ended_at=None)
    sign_ins = [sign_in for sign_in in live if can_act_on(request, sign_in.user)]
    _warn_of_superusers(request, skipped_count=len(live) - len(sign_ins))
    pending = [
        ending.end_sign_in(
            sign_in, reason=SignIn.EndReason.BY_OPERATOR, request=request, by=request.user
        )
        for sign_in in sign_ins
    ]
    _message(
        request,
        _("Sign-ins ended: %(count)d.") % {"count": len(sign_ins)},
        cognito_reached=ending.revoke_at_cognito(pending),
    )
