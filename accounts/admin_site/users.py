"""The admin of our own user model. A host project can have another one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ..core.times import local_text
from ..models import Identity, User
from .user_page import POOL_FIELDS, RIGHTS_FIELDS, UserPage
from .view_permission import can_view


class CognitoUserAdmin(UserPage, UserAdmin):  # type: ignore[type-arg]
    """The pages of users. They have no passwords, and do not add or delete users."""

    list_display = ("__str__", "email", "pool_usernames", "is_staff", "is_active", "last_sign_in")
    readonly_fields = ("last_login", "date_joined")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups", "identities__pool_id")
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
        (None, {"fields": (*POOL_FIELDS, "is_active")}),
        (_("Rights"), {"fields": RIGHTS_FIELDS, "classes": ("collapse",)}),
        (
            _("Account"),
            {"fields": ("username", "last_login", "date_joined"), "classes": ("collapse",)},
        ),
    )

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns, without the pool usernames if staff cannot view identities."""
        columns = super().get_list_display(request)
        hidden = set() if can_view(request, Identity) else {"pool_usernames"}
        return [column for column in columns if column not in hidden]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("identities")

    @admin.display(description=_("pool username"))
    def pool_usernames(self, user: Any) -> str:
        names = [identity.username or identity.subject for identity in user.identities.all()]
        return ", ".join(names) or "-"

    @admin.display(description=_("last sign-in"), ordering="last_login")
    def last_sign_in(self, user: Any) -> str:
        return local_text(user.last_login) if user.last_login else "-"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # the first sign-in creates users

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # `manage.py cognito_erase_user` deletes users, with all their data

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        # The model's help text explains how to choose a username.
        options = {**kwargs, "change": change, "help_texts": {"username": ""}}
        return super().get_form(request, obj, **options)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        readonly = super().get_readonly_fields(request, obj)
        if obj is not None and Identity.objects.filter(user=obj).exists():
            readonly += ("username",)  # generated, so there is no reason to edit it
        return readonly

    def get_urls(self) -> list[Any]:
        return [url for url in super().get_urls() if "password" not in str(url.pattern)]


if User._meta.swapped is None:
    admin.site.register(User, CognitoUserAdmin)
