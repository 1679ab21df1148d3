"""Deactivate people here who are gone from the user pool or disabled there."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...directory import reconciliation
from ...problems.errors import TooManyDeactivations
from ...provider import aws


class Command(BaseCommand):
    """Shows what it would do; `--apply` does it. Safe to schedule, and to run twice."""

    help = (
        "Compare this site's people with the user pool, and deactivate who is gone or disabled "
        "there. Shows what it would do; --apply does it. Needs boto3 and cognito-idp:ListUsers."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--apply", action="store_true", help="deactivate them")
        parser.add_argument(
            "--at-most",
            type=int,
            default=reconciliation.MOST,
            metavar="N",
            help="change nothing when it would be more people (default %(default)s): a wrong pool "
            "must not empty the site",
        )

    def handle(self, *args: Any, apply: bool, at_most: int, **options: Any) -> None:
        try:
            found = reconciliation.compare()
        except aws.AwsProblem as problem:
            raise CommandError(f"{problem} Nothing was changed.") from problem
        for each in found:
            kept = f", kept: {each.kept}" if each.kept else ""
            self.stdout.write(f"{'-' if kept else '+'}  {each.identity}: {each.state}{kept}")
        if not apply:
            lost = reconciliation.to_deactivate(found)
            self.stdout.write(f"{len(lost)} would be deactivated. Look at each, then add --apply.")
            return
        try:
            done = reconciliation.deactivate_all(found, at_most=at_most)
        except (aws.AwsProblem, TooManyDeactivations) as problem:
            raise CommandError(f"{problem} Nothing was changed.") from problem
        self.stdout.write(f"{len(done)} deactivated.")
