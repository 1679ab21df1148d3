"""The read-only admin pages of identities, sign-ins and pending revocations."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html

from ..core.request_meta import device_name
from ..models import Identity, PendingRevocation, SignIn
from ..models.users import display_name
from ..privacy.sensitive_fields import sensitive_fields
from .actions import UserActionsMixin, end_sign_ins, sign_out_everywhere
from .viewing import OwnModelOnly


class ReadOnlyAdmin(UserActionsMixin, OwnModelOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Admin pages of a model that staff can view and not edit: the sign-in flow writes it."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def get_exclude(self, request: HttpRequest, obj: object = None) -> tuple[str, ...]:
        """Return the sensitive fields of the model too, because pages must not show them."""
        return (*(super().get_exclude(request, obj) or ()), *sensitive_fields(self.model))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Reject filters by a sensitive field: they would reveal its value letter by letter.

        An example is `?sealed_tokens__startswith=g`.
        """
        model: type[Model] = self.model
        if lookup.partition(LOOKUP_SEP)[0] in sensitive_fields(model):
            return False
        return super().lookup_allowed(lookup, value, request)

    @admin.display(description="user", ordering="user")
    def user_link(self, instance: Any) -> str:
        return user_link(instance.user)


def user_link(user: Model | None) -> str:
    """Return a link to the user's page, or the plain name if the admin does not have that page."""
    if user is None:
        return "-"
    opts = user._meta
    try:
        url = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[user.pk])
    except NoReverseMatch:
        return display_name(user)
    return format_html('<a href="{}">{}</a>', url, display_name(user))


class SetAsideFilter(admin.SimpleListFilter):
    """The identities of accounts that no sign-in leads to."""

    title = "set aside"
    parameter_name = "set_aside"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.set_aside() if self.value() == "yes" else queryset


@admin.register(Identity)
class IdentityAdmin(ReadOnlyAdmin):
    actions = (sign_out_everywhere,)
    list_display = ("username", "email", "user_link", "pool_id", "updated_at")
    list_filter = ("pool_id", SetAsideFilter, "email_verified")
    list_select_related = ("user",)
    search_fields = ("username", "email", "subject", "name")


@admin.register(SignIn)
class SignInAdmin(ReadOnlyAdmin):
    actions = (end_sign_ins,)
    list_display = (
        "__str__",
        "user_link",
        "signed_in_at",
        "last_seen_at",
        "ended_at",
        "end_reason",
        "browser",
        "ip_address",
    )
    list_filter = (("ended_at", admin.EmptyFieldListFilter), "end_reason", "signed_in_at")
    list_select_related = ("user",)
    search_fields = ("subject", "reference", "ip_address", "user__identities__email")

    @admin.display(description="browser")
    def browser(self, sign_in: SignIn) -> str:
        return device_name(sign_in.device)


@admin.register(PendingRevocation)
class PendingRevocationAdmin(ReadOnlyAdmin):
    list_display = ("reference", "created_at", "tries", "next_try_at")
