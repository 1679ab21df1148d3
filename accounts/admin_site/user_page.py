"""The admin page of a user: identities, rights with their sources, sessions, events and actions.

It is a mixin, so that a host project keeps its own user model and user admin.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext as _

from ..audit import rights
from ..core.app_label import template_name
from ..models import Identity, SignInEvent
from ..models.users import can_be_deactivated
from ..users.copied_claims import copied_fields, email_field_name
from .actions import UserActionsMixin, activate, can_act_on, deactivate, sign_out_everywhere
from .invitations import InvitationsView, can_invite
from .reconciliation import reconcile
from .user_overview import overview
from .view_permission import can_view
from .viewing import OwnModelOnly

POOL_FIELDS = ("first_name", "last_name", "email")
RIGHTS_FIELDS = ("is_staff", "is_superuser", "groups", "user_permissions")
_STATUS_FIELDS = ("is_active", "is_staff", "is_superuser")


def _state(user: Any) -> str:
    """Return the rights of `user`, and whether the user is active, as one text."""
    active = {"active"} if getattr(user, "is_active", False) else set()
    return ", ".join(sorted(active | rights.current_rights(user)))


class UserPage(UserActionsMixin, OwnModelOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Mixin for the admin of any user model. If UserAdmin is a base too, put this one first.

    Only superusers can change rights, change or delete a superuser, or change an email address,
    because `manage.py cognito_link_users` matches users by it. Users cannot deactivate or delete
    their own account, or change their own status.
    """

    actions = (sign_out_everywhere, deactivate, activate, reconcile)
    change_form_template = template_name("admin/user.html")
    change_list_template = template_name("admin/users.html")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and can_act_on(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False for the staff user's own account, and for users they cannot act on."""
        is_own = obj is not None and obj == request.user
        can_delete = super().has_delete_permission(request, obj)
        return can_delete and not is_own and can_act_on(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        readonly = tuple(super().get_readonly_fields(request, obj))
        if obj is not None and Identity.objects.filter(user=obj).exists():
            readonly += copied_fields(self.model)  # the next sign-in overwrites them
        if not getattr(request.user, "is_superuser", False):
            readonly += (*RIGHTS_FIELDS, email_field_name(self.model))
        if obj is not None and obj == request.user:
            readonly += _STATUS_FIELDS
        # A host project's user model may lack any of them.
        return tuple(name for name in dict.fromkeys(readonly) if name and self._has_field(name))

    def _has_field(self, name: str) -> bool:
        return hasattr(self.model, name) or hasattr(self, name)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        (name, options), *rest = super().get_fieldsets(request, obj)
        if obj is not None and obj == request.user:
            options = {
                **options,
                "description": _(
                    "This is your own account. To deactivate it or to change your status, ask"
                    " another superuser."
                ),
            }
        return [(name, options), *rest]

    def get_urls(self) -> list[Any]:
        invitations = self.admin_site.admin_view(InvitationsView.as_view(model_admin=self))
        name = f"{self.opts.app_label}_invitations"
        return [path("invitations/", invitations, name=name), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"can_invite": can_invite(request), **(extra_context or {})}
        response = super().changelist_view(request, context)
        if response.status_code == 302 and (user_id := request.POST.get("from_user")):
            return HttpResponseRedirect(self._url("change", quote(user_id)))
        return response

    def _events_url(self, request: HttpRequest, user: Any) -> str:
        """Return the URL of all events of `user`, or "" for staff who cannot view events."""
        opts = SignInEvent._meta
        if not can_view(request, SignInEvent):
            return ""
        events_list = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
        return f"{events_list}?{urlencode({'user__pk__exact': user.pk})}"

    def _url(self, page: str, *args: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=args)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Reject a form that was opened before the rights or the active flag of the user changed.

        Otherwise, saving it would undo a deactivation, or restore a right that was removed.
        """
        initial_state = request.POST.get("initial_state")
        if object_id is not None and initial_state is not None:
            user = self.get_object(request, unquote(object_id))
            if self.has_change_permission(request, user) and initial_state != _state(user):
                messages.error(
                    request,
                    _(
                        "This user was changed while you were editing, so nothing was saved."
                        " Review the current values, then save again."
                    ),
                )
                return HttpResponseRedirect(request.get_full_path())
        return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if (user := context.get("original")) is not None:
            context |= {
                "overview": overview(user, request),
                # The validation of a form with errors has changed the user in memory.
                "initial_state": request.POST.get("initial_state", _state(user)),
                "available_actions": self._available_actions(request, user),
                "changelist_url": self._url("changelist"),
                "events_url": self._events_url(request, user),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def _available_actions(self, request: HttpRequest, user: Any) -> list[tuple[str, str, bool]]:
        """Return name, label and whether it is dangerous, of each action for this user."""
        if not self.has_change_permission(request, user):
            return []
        actions: list[Any] = [sign_out_everywhere]
        if can_be_deactivated():
            actions.append(reconcile)
            if user != request.user:
                actions.append(deactivate if user.is_active else activate)
        return [
            (action.__name__, action.short_description, action is deactivate) for action in actions
        ]
