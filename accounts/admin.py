"""People, their identities and sign-ins in the admin; tokens are never shown."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest

from .models import Identity, SignIn, User

if User._meta.swapped is None:
    admin.site.register(User, UserAdmin)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shown, never edited: these rows are written by signing in."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Identity)
class IdentityAdmin(ReadOnlyAdmin):
    list_display = ("username", "email", "user", "issuer", "updated_at")
    search_fields = ("username", "email", "subject", "name")


@admin.register(SignIn)
class SignInAdmin(ReadOnlyAdmin):
    list_display = ("user", "signed_in_at", "last_seen_at", "ended_at", "end_reason", "address")
    list_filter = ("ended_at", "end_reason")
    search_fields = ("subject", "reference", "address")
    exclude = ("key", "sealed_tokens")
