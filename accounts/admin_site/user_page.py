"""A person's page in the admin: who they are, what they may, where they came in, what happened.

To mix in, so that a project keeps its own user model and the admin it has for it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse

from ..audit import rights
from ..core.app_label import template
from ..models import Identity, SignInEvent
from .actions import ManagesPeople, activate, deactivate, may_act_on, sign_out_everywhere
from .invitations import InvitationsView, may_invite
from .reconciliation import reconcile
from .user_overview import overview
from .view_permission import can_view
from .viewing import OwnModelOnly

FROM_THE_POOL = ("first_name", "last_name", "email")
RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")
_NOT_OF_ONESELF = ("is_active", "is_staff", "is_superuser")


def _state(person: Any) -> str:
    """What decides whether and where somebody may come in."""
    active = {"active"} if getattr(person, "is_active", False) else set()
    return ", ".join(sorted(active | rights.held_rights(person)))


class PersonPage(ManagesPeople, OwnModelOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """For people, whatever the user model; stands before UserAdmin where both are bases.

    Only superusers give rights, change or delete a superuser, or change an e-mail address, by
    which `manage.py link_users` knows people. Nobody locks themselves out.
    """

    actions = (sign_out_everywhere, deactivate, activate, reconcile)
    change_form_template = template("admin/user.html")
    change_list_template = template("admin/users.html")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and may_act_on(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Where the admin that this is mixed into deletes people at all."""
        mine = obj is not None and obj == request.user
        may = super().has_delete_permission(request, obj)
        return may and not mine and may_act_on(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        readonly = tuple(super().get_readonly_fields(request, obj))
        if obj is not None and Identity.objects.filter(user=obj).exists():
            readonly += FROM_THE_POOL  # the next sign-in writes them anew
        if not getattr(request.user, "is_superuser", False):
            readonly += (*RIGHTS, "email")
        if obj is not None and obj == request.user:
            readonly += _NOT_OF_ONESELF
        return readonly

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        (name, options), *rest = super().get_fieldsets(request, obj)
        if obj is not None and obj == request.user:
            note = "This is you: another superuser deactivates you or changes your status."
            options = {**options, "description": note}
        return [(name, options), *rest]

    def get_urls(self) -> list[Any]:
        invitations = self.admin_site.admin_view(InvitationsView.as_view(model_admin=self))
        name = f"{self.opts.app_label}_invitations"
        return [path("invitations/", invitations, name=name), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"may_invite": may_invite(request), **(extra_context or {})}
        response = super().changelist_view(request, context)
        if response.status_code == 302 and (person := request.POST.get("from_person")):
            return HttpResponseRedirect(self._address("change", quote(person)))
        return response

    def _events_of(self, request: HttpRequest, person: Any) -> str:
        """The whole record of them; empty for staff who may not see it."""
        opts = SignInEvent._meta
        if not can_view(request, SignInEvent):
            return ""
        events_list = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
        return f"{events_list}?{urlencode({'user__pk__exact': person.pk})}"

    def _address(self, page: str, *args: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=args)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A form that was opened before the person was deactivated, or lost a right, would give
        it back when it is saved."""
        seen = request.POST.get("as_seen")
        if object_id is not None and seen is not None:
            person = self.get_object(request, unquote(object_id))
            if self.has_change_permission(request, person) and seen != _state(person):
                messages.error(
                    request,
                    "Somebody changed this person while the form was open, so nothing was saved. "
                    "Look at what stands here now, and save again.",
                )
                return HttpResponseRedirect(request.get_full_path())
        return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if (person := context.get("original")) is not None:
            context |= {
                "overview": overview(person, request),
                # A form that comes back with errors has changed the person in memory.
                "as_seen": request.POST.get("as_seen", _state(person)),
                "offered": self._offered(request, person),
                "changelist": self._address("changelist"),
                "events_address": self._events_of(request, person),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def _offered(self, request: HttpRequest, user: Any) -> list[tuple[str, str]]:
        """The actions that make sense for this person: name and label."""
        if not self.has_change_permission(request, user):
            return []
        switch = deactivate if user.is_active else activate
        offered = [sign_out_everywhere, switch, reconcile]
        if user == request.user:
            offered.remove(switch)
        return [(each.__name__, each.short_description) for each in offered]  # type: ignore[attr-defined]
