"""Deactivate users who were deleted or disabled in the user pool."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from ...directory import reconciliation
from ...problems.errors import TooManyDeactivations
from ...provider import aws
from ..base import DatabaseCommand


class Command(DatabaseCommand):
    """A dry run unless `--apply` is set. It can be scheduled, and run more than once."""

    help = (
        "Compare this site's users with the user pool, and deactivate users who were deleted or "
        "disabled in the pool. Without --apply, it only shows what it would do. Needs boto3 and "
        "cognito-idp:ListUsers."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--apply", action="store_true", help="deactivate the users")
        parser.add_argument(
            "--at-most",
            type=int,
            default=reconciliation.MAX_DEACTIVATIONS,
            metavar="N",
            help="change nothing if more than N users would be deactivated (default %(default)s), "
            "because the pool may be the wrong one",
        )

    def handle(self, *args: Any, apply: bool, at_most: int, **options: Any) -> None:
        try:
            differences = reconciliation.find_differences()
        except aws.AwsError as problem:
            raise CommandError(f"{problem} Nothing was changed.") from problem
        for item in differences:
            sign, reason = "+", ""
            if item.keep_reason:
                sign, reason = "-", f", stays active: {item.keep_reason}"
            self.stdout.write(f"{sign}  {item.identity}: {item.state}{reason}")
        if not apply:
            count = len(reconciliation.to_deactivate(differences))
            self.stdout.write(f"{count} would be deactivated. Check each line, then add --apply.")
            return
        try:
            deactivated = reconciliation.deactivate(differences, at_most=at_most)
        except (aws.AwsError, TooManyDeactivations) as problem:
            raise CommandError(f"{problem} Nothing was changed.") from problem
        self.stdout.write(f"{len(deactivated)} deactivated.")
