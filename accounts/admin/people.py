"""People in the admin: who they are, what they may, where they're signed in, what happened."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse

from .. import events
from ..models import Identity, User
from ..names import template
from ..person_overview import overview
from .actions import (
    ManagesPeople,
    activate,
    deactivate,
    may_act_on,
    sign_out_everywhere,
)
from .comparison import reconcile
from .invitations import InvitationsView, may_invite

_FROM_THE_POOL = ("first_name", "last_name", "email")
_RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


class PersonAdmin(ManagesPeople, UserAdmin):  # type: ignore[type-arg]
    """Django's own without passwords; people join by invitation and leave by `forget_user`.

    Only superusers give rights, and only they change a superuser.
    """

    actions = (sign_out_everywhere, deactivate, activate, reconcile)
    change_form_template = template("admin/person.html")
    change_list_template = template("admin/people.html")
    list_display = ("__str__", "email", "pool_usernames", "is_staff", "is_active", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups", "identities__issuer")
    list_per_page = 50
    show_full_result_count = False
    search_fields = (
        "username",
        "first_name",
        "last_name",
        "email",
        "identities__username",
        "identities__email",
        "identities__subject",
    )
    ordering = ("-last_login", "-pk")
    fieldsets = (
        (None, {"fields": ("username", *_FROM_THE_POOL, "is_active")}),
        ("Rights given here", {"fields": _RIGHTS, "classes": ("collapse",)}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("identities")

    @admin.display(description="at the pool")
    def pool_usernames(self, user: Any) -> str:
        return ", ".join(each.username or each.subject for each in user.identities.all()) or "-"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # people are invited, or come by themselves

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and may_act_on(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # `manage.py forget_user` does, with all that belongs to it

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        readonly: tuple[str, ...] = ("last_login", "date_joined")
        if obj is not None and Identity.objects.filter(user=obj).exists():
            readonly += ("username", *_FROM_THE_POOL)  # the next sign-in writes them anew
        if not getattr(request.user, "is_superuser", False):
            readonly += _RIGHTS
        return readonly

    def get_urls(self) -> list[Any]:
        invitations = self.admin_site.admin_view(InvitationsView.as_view(model_admin=self))
        return [
            path("invitations/", invitations, name=f"{self.opts.app_label}_invitations"),
            *(each for each in super().get_urls() if "password" not in str(each.pattern)),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"may_invite": may_invite(request), **(extra_context or {})}
        response = super().changelist_view(request, context)
        if "from_person" in request.POST and response.status_code == 302:
            return HttpResponseRedirect(self._page_of(request.POST["from_person"]))
        return response

    def _page_of(self, pk: str) -> str:
        if not pk.isdigit():
            return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[pk])

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        context |= {
            "overview": overview(obj),
            "offered": self._offered(request, obj),
            "changelist": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
        }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _offered(self, request: HttpRequest, user: Any) -> list[tuple[str, str]]:
        """The actions that make sense for this person: name and label."""
        if not self.has_change_permission(request, user):
            return []
        switch = deactivate if user.is_active else activate
        offered = (sign_out_everywhere, switch, reconcile)
        return [(each.__name__, each.short_description) for each in offered]  # type: ignore[attr-defined]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "is_active" in form.changed_data:
            kind = "activated" if obj.is_active else "deactivated"
            events.record(kind, user=obj, reason="admin", request=request, by=request.user)


if User._meta.swapped is None:
    admin.site.register(User, PersonAdmin)
