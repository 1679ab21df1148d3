"""Link existing users to people of a user pool: by verified e-mail address, or as you say."""

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...directory.email_linking import Proposal, link, people_of_the_pool, proposals
from ...directory.lookup import person_called
from ...directory.manual_linking import (
    PoolLink,
    issuer_called,
    linked_identity,
    make_pool_link,
    pool_link,
    undo_link,
)
from ...models import Identity
from ...problems.errors import LinkRefused, NobodyMeant
from ...provider import aws
from ...sessions.sign_out import UNREACHED_FOR_OPERATORS


class Command(BaseCommand):
    """Shows what it would do; `--apply` does it. Needs boto3 and `cognito-idp:ListUsers`, but for
    an identity of another pool, which is not asked."""

    help = (
        "Link users of this site to people of the user pool: by verified e-mail address, one match "
        "only. Or one person to the identity named by --pool and --sub, which may be of another "
        "trusted pool. Shows what it would do; --apply does it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "names",
            nargs="*",
            metavar="NAME",
            help="usernames of this site; all when absent. With --pool: one, as for export_user",
        )
        parser.add_argument("--pool", metavar="POOL", help="pool id or issuer of the identity")
        parser.add_argument("--sub", metavar="SUB", help="user id (sub) of the identity")
        parser.add_argument(
            "--undo", action="store_true", help="take the named identity from its person again"
        )
        parser.add_argument("--apply", action="store_true", help="make the links, or undo one")

    def handle(self, *args: Any, **options: Any) -> None:
        names, pool, subject = options["names"], options["pool"], options["sub"]
        try:
            if not (pool or subject or options["undo"]):
                self._by_address(set(names), apply=options["apply"])
            elif pool and subject and len(names) == 1:
                work = self._undo if options["undo"] else self._as_said
                work(names[0], pool, subject, apply=options["apply"])
            else:
                raise CommandError("One NAME, --pool and --sub belong together.")
        except aws.AwsProblem as problem:
            raise CommandError(f"{problem} Nothing was changed.") from problem
        except (NobodyMeant, LinkRefused) as problem:
            raise CommandError(f"{problem} Nothing was changed.") from problem

    def _as_said(self, name: str, pool: str, subject: str, *, apply: bool) -> None:
        found = pool_link(person_called(name), issuer=issuer_called(pool), subject=subject)
        self._tell(found)
        if not apply:
            self.stdout.write("Would be linked. Look at both, then add --apply.")
            return
        self._done("Linked.", make_pool_link(found))

    def _undo(self, name: str, pool: str, subject: str, *, apply: bool) -> None:
        user = person_called(name)
        identity = linked_identity(user, issuer=issuer_called(pool), subject=subject)
        self.stdout.write(f"-  {identity}")
        self.stdout.write(f"   is no longer {user} ({user.get_username()}){_staff(user)}")
        left = Identity.objects.filter(user=user).exclude(pk=identity.pk).count()
        self.stdout.write(f"   its sessions and tokens end; other identities they have: {left}")
        if not apply:
            self.stdout.write("Would be undone. Add --apply to do it.")
            return
        self._done("Undone.", undo_link(identity))

    def _done(self, said: str, reached: bool) -> None:
        self.stdout.write(said)
        if not reached:
            self.stdout.write(UNREACHED_FOR_OPERATORS)

    def _tell(self, found: PoolLink) -> None:
        known = f"{found.username} <{found.email}>" if found.username else "not seen here yet"
        self.stdout.write(f"+  {found.subject} at {found.issuer}")
        self.stdout.write(f"   {known}")
        self.stdout.write(f"   is {found.user} ({found.user.get_username()}){_staff(found.user)}")
        if found.previous is not None:
            gone = found.previous.get_username()
            self.stdout.write(f"-  {gone}, who is this identity so far and holds nothing, goes")
            self.stdout.write("   its tokens end, and its part of the record moves along")

    def _by_address(self, wanted: set[str], *, apply: bool) -> None:
        found = proposals(people_of_the_pool())
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
        self._link_all(linkable, apply=apply)

    def _link_all(self, linkable: Iterable[Proposal], *, apply: bool) -> None:
        linked = 0
        for each in linkable:
            done = not apply or link(each)
            linked += done
            said = "" if done else ", but somebody was quicker"
            self.stdout.write(
                f"+  {each.username} <{each.email}> is {each.user.get_username()}"
                f"{_staff(each.user)}{said}"
            )
        self.stdout.write(
            f"{linked} linked."
            if apply
            else f"{linked} would be linked. Look at each, then add --apply."
        )


def _staff(user: Any) -> str:
    return " (staff)" if getattr(user, "is_staff", False) else ""
