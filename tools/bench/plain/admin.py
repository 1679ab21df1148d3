"""The lists of the admin with stock classes: the same columns, filters and rows per page.

The other models are registered too, because each page of an admin lists them in its navigation.
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group

from accounts.models import Identity, PendingRevocation, SignIn, SignInEvent, User
from stats.models import Change, Stat

site = admin.AdminSite(name="stock")
site.register([Change, Group, Identity, PendingRevocation, SignIn])


@admin.register(Stat, site=site)
class StockStatAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("kpi", "period", "value", "updated_at", "updated_by")
    list_editable = ("value",)
    list_filter = ("kpi", "year", "period")
    list_select_related = ("updated_by",)
    list_per_page = 50
    search_fields = ("kpi_key", "period")


@admin.register(User, site=site)
class StockUserAdmin(UserAdmin):  # type: ignore[type-arg]
    list_display = ("__str__", "email", "pool_usernames", "is_staff", "is_active", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups", "identities__pool_id")
    list_per_page = 50
    ordering = ("-last_login", "-pk")

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).prefetch_related("identities")

    def pool_usernames(self, user: Any) -> str:
        return ", ".join(identity.username for identity in user.identities.all())


@admin.register(SignInEvent, site=site)
class StockEventAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    date_hierarchy = "at"
    list_display = ("at", "kind", "user", "reference", "ip_address", "device")
    list_filter = ("kind", "reason", ("user", admin.EmptyFieldListFilter))
    list_select_related = ("user",)
    list_per_page = 50
    search_fields = ("=reference", "pool_username", "=ip_address", "user__identities__email")

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).prefetch_related("user__identities")
