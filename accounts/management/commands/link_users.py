"""Link existing users to people of the user pool: by verified e-mail address, one match only."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ... import aws
from ...linking import link, people_of_the_pool, proposals


class Command(BaseCommand):
    """Shows what it would do; `--apply` does it. Needs boto3 and `cognito-idp:ListUsers`."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("usernames", nargs="*", help="usernames of this site; all when absent")
        parser.add_argument("--apply", action="store_true", help="make the links")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = proposals(people_of_the_pool())
        except aws.AwsProblem as problem:
            raise CommandError(f"{problem} Nothing was changed.") from problem
        wanted = set(options["usernames"])
        linkable = [
            each
            for each in found
            if each.user is not None and (not wanted or each.user.get_username() in wanted)
        ]
        missing = wanted - {each.user.get_username() for each in linkable}
        if missing:
            names = ", ".join(sorted(missing))
            raise CommandError(
                f"Nobody in the pool can be linked to {names}: run this without names to see why."
                " Nothing was changed."
            )
        for each in found:
            if each.reason and not wanted:
                self.stdout.write(f"-  {each.username} {each.reason}")
        for each in linkable:
            done = not options["apply"] or link(each)
            staff = " (staff)" if getattr(each.user, "is_staff", False) else ""
            said = "" if done else ", but somebody was quicker"
            self.stdout.write(
                f"+  {each.username} <{each.email}> is {each.user.get_username()}{staff}{said}"
            )
        self.stdout.write(
            f"{len(linkable)} linked."
            if options["apply"]
            else f"{len(linkable)} would be linked. Look at each, then add --apply."
        )
