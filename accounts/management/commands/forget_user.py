"""Forget a person: sessions, identity, what the record knows, on request the pool account."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError
from django.db.models import ProtectedError, RestrictedError

from ...directory.lookup import person_called
from ...privacy import erasure
from ...privacy.deletion_preview import Rows
from ...problems.errors import NobodyMeant
from ...provider import aws
from ...sessions.sign_out import UNREACHED_FOR_OPERATORS

MOST_NAMED = 10  # rows of each model; all of them with --verbosity 2


class Command(BaseCommand):
    help = (
        "Forget a person for good: their account here with its identities and sessions, and what "
        "the record of sign-ins knows of them. What they wrote stays without an author. Shows what "
        "it would do, row by row; --apply does it. NAME as for export_user."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--apply", action="store_true", help="forget them")
        parser.add_argument(
            "--pool",
            action="store_true",
            help="delete their account of the user pool as well; needs boto3 and "
            "cognito-idp:ListUsers and AdminDeleteUser",
        )

    def handle(self, *args: Any, name: str, apply: bool, pool: bool, **options: Any) -> None:
        try:
            user = person_called(name)
            planned = erasure.plan(user, with_pool_account=pool)
        except (NobodyMeant, aws.AwsProblem) as problem:
            raise CommandError(f"{problem} Nothing was changed.") from problem
        self.stdout.write(f"{user} ({user.get_username()})")
        self._tell(planned, most=None if options["verbosity"] > 1 else MOST_NAMED)
        if planned.deletion.blocking:
            raise CommandError(
                "These rows forbid deleting the account. Delete them, or give them to somebody "
                "else, then run this again. Nothing was changed."
            )
        if not apply:
            self.stdout.write("Nothing was changed. Add --apply to do it.")
            return
        self._forget(user, planned)

    def _tell(self, planned: erasure.Plan, *, most: int | None) -> None:
        deletion = planned.deletion
        self._tell_rows("Goes", "-", deletion.going, most)
        for count, what in (
            (len(planned.sessions), "browser sessions"),
            (planned.admin_log, "entries of the admin's log about them"),
        ):
            if count:
                self.stdout.write(f"-  {what}: {count}")
        for username in planned.pool_accounts:
            self.stdout.write(f"-  the pool account {username}")
        self._tell_rows("Stays, without them as author", "=", deletion.staying, most)
        self.stdout.write("Stays, without who, where and with which browser")
        self.stdout.write(f"~  events of the record about them: {planned.events}")
        self.stdout.write(f"~  their name in events about others: {planned.events_naming}")
        self._tell_rows("Forbids it", "!", deletion.blocking, most)

    def _tell_rows(self, heading: str, sign: str, found: list[Rows], most: int | None) -> None:
        if found:
            self.stdout.write(heading)
        for rows in found:
            self.stdout.write(f"{sign}  {rows}")
            for name in rows.names(most):
                self.stdout.write(f"     {name}")

    def _forget(self, user: Any, planned: erasure.Plan) -> None:
        try:
            reached = erasure.forget(user, planned)
        except (aws.AwsProblem, ProtectedError, RestrictedError, IntegrityError) as problem:
            raise CommandError(f"{problem} Nothing was changed.") from problem
        self.stdout.write("Forgotten.")
        if not reached:
            self.stdout.write(UNREACHED_FOR_OPERATORS)
        if not planned.pool_accounts:
            self.stdout.write("A pool account is not touched: who signs in with it comes anew.")
