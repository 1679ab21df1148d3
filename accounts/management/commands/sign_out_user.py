"""Sign somebody out everywhere, from the command line."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from ...directory.lookup import person_called
from ...models import SignIn
from ...problems.errors import NobodyMeant
from ...sessions import sign_out


class Command(BaseCommand):
    help = (
        "End all sessions of a person, and stop access tokens already issued. NAME is their "
        "username at the pool, e-mail address, user id (sub) or username here."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", metavar="NAME")
        parser.add_argument(
            "--inactive",
            action="store_true",
            help="everybody whose account here is deactivated, such as after a bulk update",
        )

    def handle(self, *, name: str | None, inactive: bool, **options: Any) -> None:
        if bool(name) == inactive:
            raise CommandError("Say who: a NAME, or --inactive.")
        try:
            people = _inactive_users() if inactive else [person_called(name or "")]
        except NobodyMeant as error:
            raise CommandError(str(error)) from error
        for user in people:
            signed_out = sign_out.sign_out_everywhere(user)
            self.stdout.write(
                f"{user}: sessions ended: {signed_out.ended}; tokens issued until now are stopped."
            )
            if not signed_out.reached:
                self.stdout.write(f"  {sign_out.UNREACHED_FOR_OPERATORS}")


def _inactive_users() -> list[Any]:
    has_something = Q(identities__isnull=False) | Q(sign_ins__in=SignIn.objects.live())
    inactive = get_user_model()._default_manager.filter(has_something, is_active=False)
    return list(inactive.distinct())
