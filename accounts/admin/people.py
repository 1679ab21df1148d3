"""People in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from ..models import User
from .actions import ManagesPeople, activate, deactivate, sign_out_everywhere


class PersonAdmin(ManagesPeople, UserAdmin):  # type: ignore[type-arg]
    """Django's own, and signing people out."""

    actions = (sign_out_everywhere, deactivate, activate)


if User._meta.swapped is None:
    admin.site.register(User, PersonAdmin)
