"""Sign out a user everywhere, from the command line."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser
from django.db.models import Q

from ...directory.lookup import get_user_by_name
from ...models import SignIn
from ...models.users import can_be_deactivated, display_name
from ...problems.errors import UserLookupError
from ...sessions import sign_out
from ..base import DatabaseCommand


class Command(DatabaseCommand):
    help = (
        "End all sign-ins of a user, and revoke all access tokens issued until now. NAME is the "
        "username in the pool or here, the email address or the user ID (sub)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", metavar="NAME")
        parser.add_argument(
            "--inactive",
            action="store_true",
            help="all users who are deactivated here, for example after a bulk update",
        )

    def handle(self, *, name: str | None, inactive: bool, **options: Any) -> None:
        if bool(name) == inactive:
            raise CommandError("Give either NAME or --inactive. Nothing was changed.")
        try:
            users = _inactive_users() if inactive else [get_user_by_name(name or "")]
        except UserLookupError as error:
            raise CommandError(str(error)) from error
        for user in users:
            result = sign_out.sign_out_everywhere(user)
            self.stdout.write(
                f"{display_name(user)}: sign-ins ended: {result.count}; tokens issued until now "
                "are revoked."
            )
            if not result.cognito_reached:
                self.stdout.write(f"  {sign_out.UNREACHED_FOR_OPERATORS}")


def _inactive_users() -> list[Any]:
    if not can_be_deactivated():
        return []
    has_access = Q(identities__isnull=False) | Q(sign_ins__in=SignIn.objects.live())
    users = get_user_model()._default_manager.filter(has_access, is_active=False)
    return list(users.distinct())
