"""People, their identities and sign-ins in the admin; tokens are never shown."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from . import ending, services
from .models import Identity, PendingRevocation, SignIn, SignInEvent, User


def _tell(request: HttpRequest, sentence: str, *, reached: bool) -> None:
    messages.success(request, sentence)
    if not reached:
        messages.warning(request, "Cognito didn't answer; housekeeping goes on telling it.")


@admin.action(description="Sign out everywhere")
def sign_out_everywhere(modeladmin: Any, request: HttpRequest, rows: QuerySet[Any]) -> None:
    """For users, and for identities, whose users are meant."""
    users = rows
    if rows.model is Identity:
        users = get_user_model()._default_manager.filter(pk__in=rows.values("user"))
    done = [services.sign_out_everywhere(user) for user in users]
    sessions = sum(one.ended for one in done)
    sentence = f"{len(done)} signed out everywhere: sessions ended: {sessions}."
    _tell(request, sentence, reached=all(one.reached for one in done))


@admin.action(description="End these sign-ins")
def end_sign_ins(modeladmin: Any, request: HttpRequest, rows: QuerySet[SignIn]) -> None:
    live = list(rows.select_related("user").filter(ended_at=None))
    pending = [ending.end(row, reason=SignIn.EndReason.BY_OPERATOR) for row in live]
    _tell(request, f"Sign-ins ended: {len(live)}.", reached=ending.revoke(pending))


class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    """Django's own, and signing people out."""

    actions = (sign_out_everywhere,)


if User._meta.swapped is None:
    admin.site.register(User, PersonAdmin)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shown, never edited: these rows are written by signing in."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Identity)
class IdentityAdmin(ReadOnlyAdmin):
    actions = (sign_out_everywhere,)
    list_display = ("username", "email", "user", "issuer", "updated_at")
    search_fields = ("username", "email", "subject", "name")


@admin.register(SignIn)
class SignInAdmin(ReadOnlyAdmin):
    actions = (end_sign_ins,)
    list_display = ("user", "signed_in_at", "last_seen_at", "ended_at", "end_reason", "address")
    list_filter = ("ended_at", "end_reason")
    search_fields = ("subject", "reference", "address")
    exclude = ("key", "sealed_tokens")


@admin.register(SignInEvent)
class SignInEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "kind", "person", "user", "reason", "reference", "address")
    list_filter = ("kind", "reason")
    search_fields = ("reference", "person", "address")
    date_hierarchy = "at"

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False  # housekeeping forgets them when it is time


@admin.register(PendingRevocation)
class PendingRevocationAdmin(ReadOnlyAdmin):
    list_display = ("reference", "created_at", "tries", "next_try_at")
    exclude = ("sealed_token",)
