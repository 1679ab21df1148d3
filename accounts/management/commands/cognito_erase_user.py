"""Erase a user's personal data: sessions, identities, audit events, on request the pool user."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import IntegrityError
from django.db.models import ProtectedError, RestrictedError

from ...directory.lookup import get_user_by_name
from ...directory.set_aside import set_aside_accounts
from ...privacy import erasure
from ...privacy.deletion_preview import AffectedInstances
from ...problems.errors import UserLookupError
from ...provider import aws
from ...sessions.sign_out import UNREACHED_FOR_OPERATORS
from ..base import DatabaseCommand

MAX_NAMED = 10  # instances of each model; all of them with --verbosity 2


class Command(DatabaseCommand):
    help = (
        "Delete a user with all identities and sessions, and remove the user from the audit log. "
        "Objects that the user created can stay without an author. Without --apply, it only shows "
        "what it would do. NAME is the username in the pool or here, the email address or the user "
        "ID (sub)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--apply", action="store_true", help="erase the user")
        parser.add_argument(
            "--pool",
            action="store_true",
            help="also delete the pool user; needs boto3, cognito-idp:ListUsers and "
            "AdminDeleteUser",
        )

    def handle(self, *args: Any, name: str, apply: bool, pool: bool, **options: Any) -> None:
        try:
            user = get_user_by_name(name)
            planned = erasure.plan_erasure(user, with_pool_account=pool)
        except (UserLookupError, aws.AwsError) as problem:
            raise CommandError(f"{problem} Nothing was changed.") from problem
        self.stdout.write(f"{user} ({user.get_username()})")
        self._show(planned, limit=None if options["verbosity"] > 1 else MAX_NAMED)
        for other in set_aside_accounts(used_by=user):
            self.stdout.write(
                f"=  {other.identity.user.get_username()}: another account of the same pool user, "
                "which was set aside. The next sign-in uses it. Erase it too if it is not needed."
            )
        if planned.deletion.protected:
            raise CommandError(
                "These objects prevent the deletion of the user. Delete them, or assign them to "
                "another user, then run this command again. Nothing was changed."
            )
        if not apply:
            self.stdout.write("Nothing was changed. To erase the user, add --apply.")
            return
        self._erase(user, planned)

    def _show(self, planned: erasure.ErasurePlan, *, limit: int | None) -> None:
        deletion = planned.deletion
        self._show_objects("Deleted", "-", deletion.deleted, limit)
        for count, label in (
            (len(planned.sessions), "browser sessions"),
            (planned.admin_log, "entries about the user in the admin's log"),
        ):
            if count:
                self.stdout.write(f"-  {label}: {count}")
        for username in planned.pool_users:
            self.stdout.write(f"-  pool user: {username}")
        self._show_objects("Kept, without the user as author", "=", deletion.nullified, limit)
        self.stdout.write("Kept, without user, IP address and browser")
        self.stdout.write(f"~  audit events about the user: {planned.events}")
        self.stdout.write(f"~  audit events that only name the user: {planned.events_naming}")
        self._show_objects("These prevent the deletion", "!", deletion.protected, limit)

    def _show_objects(
        self, heading: str, sign: str, affected: list[AffectedInstances], limit: int | None
    ) -> None:
        if affected:
            self.stdout.write(heading)
        for objects in affected:
            self.stdout.write(f"{sign}  {objects}")
            for name in objects.names(limit):
                self.stdout.write(f"     {name}")

    def _erase(self, user: Any, planned: erasure.ErasurePlan) -> None:
        try:
            cognito_reached = erasure.erase(user, planned)
        except (aws.AwsError, ProtectedError, RestrictedError, IntegrityError) as problem:
            raise CommandError(f"{problem} Nothing was changed.") from problem
        self.stdout.write("Erased.")
        if not cognito_reached:
            self.stdout.write(UNREACHED_FOR_OPERATORS)
        if not planned.pool_users:
            self.stdout.write(
                "The pool user was kept. Signing in with it will create a new user here."
            )
