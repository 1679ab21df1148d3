"""Forget a person: sessions, identity, what the record knows, on request the pool account."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ... import aws, leaving
from ...person_lookup import NobodyMeant, person_called


class Command(BaseCommand):
    help = (
        "Forget a person for good: their account here with its identities and sessions, and what "
        "the record of sign-ins knows of them. What they wrote stays without an author. Shows what "
        "it would do; --apply does it. NAME as for export_user."
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
        except NobodyMeant as error:
            raise CommandError(str(error)) from error
        held = leaving.plan(user)
        self.stdout.write(f"{user} ({user.get_username()})")
        for identity in held.identities:
            self.stdout.write(f"-  identity {identity}")
        self.stdout.write(f"-  {held.sign_ins} sign-ins, their sessions and tokens")
        self.stdout.write(f"-  who, where and with which browser in {held.events} events")
        if not apply:
            account = ", the pool account included" if pool else ""
            self.stdout.write(f"All this would be forgotten{account}. Add --apply to do it.")
            return
        try:
            reached = leaving.forget(user, with_pool_account=pool)
        except aws.AwsProblem as problem:
            raise CommandError(f"{problem} Nothing was changed here.") from problem
        self.stdout.write("Forgotten.")
        if not reached:
            self.stdout.write("Cognito didn't answer; `manage.py housekeeping` revokes the rest.")
        if not pool:
            self.stdout.write("The pool account is still there: who signs in with it comes anew.")
