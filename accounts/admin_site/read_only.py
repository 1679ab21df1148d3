"""The read-only admin pages of identities, sign-ins and pending revocations."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from ..core.request_meta import device_name
from ..core.times import time_ago
from ..models import Identity, PendingRevocation, SignIn
from ..privacy.sensitive_fields import sensitive_fields
from .actions import UserActionsMixin, end_sign_ins, sign_out_everywhere
from .cells import user_link
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

    @admin.display(description=_("IP address"), ordering="ip_address")
    def from_ip(self, instance: Any) -> str:
        return instance.ip_address or "-"

    @admin.display(description=_("user"), ordering="user")
    def user_link(self, instance: Any) -> str:
        return user_link(instance.user)


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
    list_display = ("signed_in_at", "user_link", "state", "last_seen_at", "browser", "from_ip")
    list_filter = (("ended_at", admin.EmptyFieldListFilter), "end_reason", "signed_in_at")
    list_select_related = ("user",)
    search_fields = ("subject", "reference", "ip_address", "user__identities__email")

    @admin.display(description=_("state"), ordering="ended_at")
    def state(self, sign_in: SignIn) -> str:
        if sign_in.ended_at is None:
            return format_html('<strong class="state">{}</strong>', _("live"))
        reason = sign_in.get_end_reason_display()
        return format_html('{} <span class="quiet">{}</span>', reason, time_ago(sign_in.ended_at))

    @admin.display(description=_("browser"))
    def browser(self, sign_in: SignIn) -> str:
        return device_name(sign_in.device)


@admin.register(PendingRevocation)
class PendingRevocationAdmin(ReadOnlyAdmin):
    list_display = ("reference", "created_at", "tries", "next_try_at")
