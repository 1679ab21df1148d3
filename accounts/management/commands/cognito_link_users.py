"""Link existing users to pool users: by verified email address, or one identity by its ID."""

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandError

from ...directory.email_linking import Proposal, link, pool_users, propose_links
from ...directory.lookup import get_user_by_name
from ...directory.manual_linking import (
    PoolLink,
    create_link,
    linked_identity,
    prepare_link,
    resolve_pool,
    unlink,
)
from ...directory.set_aside import set_aside_accounts
from ...models import Identity
from ...problems.errors import LinkError, UserLookupError
from ...provider import aws
from ...sessions.sign_out import UNREACHED_FOR_OPERATORS
from ..base import DatabaseCommand


class Command(DatabaseCommand):
    """A dry run unless `--apply` is set.

    It needs boto3 and `cognito-idp:ListUsers`, except for an identity of another pool, which this
    site cannot query.
    """

    help = (
        "Link users of this site to pool users with the same verified email address. Or link one "
        "user to the identity given by --pool and --sub, which may be of another trusted pool. "
        "Without --apply, it only shows what it would do."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "names",
            nargs="*",
            metavar="NAME",
            help="usernames of this site (default: all users). With --pool: one name, as for "
            "cognito_export_user",
        )
        parser.add_argument("--pool", metavar="POOL", help="pool ID or issuer of the identity")
        parser.add_argument("--sub", metavar="SUB", help="user ID (sub) of the identity")
        parser.add_argument(
            "--undo", action="store_true", help="unlink the given identity from its user"
        )
        parser.add_argument(
            "--set-aside",
            action="store_true",
            help="list the accounts that no sign-in leads to, because their pool user has another",
        )
        parser.add_argument("--apply", action="store_true", help="create the links, or unlink")

    def handle(self, *args: Any, **options: Any) -> None:
        names, pool, subject = options["names"], options["pool"], options["sub"]
        try:
            if options["set_aside"]:
                self._list_set_aside()
            elif not (pool or subject or options["undo"]):
                self._link_by_email(set(names), apply=options["apply"])
            elif pool and subject and len(names) == 1:
                method = self._unlink if options["undo"] else self._link_by_id
                method(names[0], pool, subject, apply=options["apply"])
            else:
                raise CommandError(
                    "To link or unlink one identity, use exactly one NAME with --pool and --sub."
                )
        except aws.AwsError as problem:
            raise CommandError(f"{problem} Nothing was changed.") from problem
        except (UserLookupError, LinkError) as problem:
            raise CommandError(f"{problem} Nothing was changed.") from problem

    def _link_by_id(self, name: str, pool: str, subject: str, *, apply: bool) -> None:
        pending_link = prepare_link(
            get_user_by_name(name), pool=resolve_pool(pool), subject=subject
        )
        self._show(pending_link)
        if not apply:
            self.stdout.write(
                "Nothing was linked. Check the identity and the user, then add --apply."
            )
            return
        self._report("Linked.", create_link(pending_link))

    def _unlink(self, name: str, pool: str, subject: str, *, apply: bool) -> None:
        user = get_user_by_name(name)
        identity = linked_identity(user, pool=resolve_pool(pool), subject=subject)
        self.stdout.write(f"-  {identity}")
        self.stdout.write(f"   unlink from {user} ({user.get_username()}){_staff_mark(user)}")
        other_count = Identity.objects.filter(user=user).exclude(pk=identity.pk).count()
        self.stdout.write(
            f"   its sessions and tokens end; other identities of the user: {other_count}"
        )
        for other in set_aside_accounts(used_by=user):
            name = other.identity.user.get_username()
            self.stdout.write(f"   the next sign-in uses {name}, which was set aside")
        if not apply:
            self.stdout.write("Nothing was unlinked. To unlink the identity, add --apply.")
            return
        self._report("Unlinked.", unlink(identity))

    def _list_set_aside(self) -> None:
        accounts = list(set_aside_accounts())
        for identity, used in accounts:
            self.stdout.write(f"{used.subject} at {used.pool_id}")
            self.stdout.write(f"+  used: {_describe(used.user)}")
            self.stdout.write(f"-  set aside: {_describe(identity.user)}")
        self.stdout.write(f"Accounts that are set aside: {len(accounts)}.")
        if accounts:
            self.stdout.write(
                "Compare the two accounts of each pool user, then erase the one that is not needed "
                "(manage.py cognito_erase_user). If the used one is erased, the next sign-in uses "
                "the other."
            )

    def _report(self, message: str, cognito_reached: bool) -> None:
        self.stdout.write(message)
        if not cognito_reached:
            self.stdout.write(UNREACHED_FOR_OPERATORS)

    def _show(self, link: PoolLink) -> None:
        user, previous = link.user, link.previous
        details = f"{link.username} <{link.email}>" if link.username else "not used here yet"
        self.stdout.write(f"+  {link.subject} at {link.pool_id}")
        self.stdout.write(f"   {details}")
        self.stdout.write(f"   link to {user} ({user.get_username()}){_staff_mark(user)}")
        if previous is not None:
            self.stdout.write(f"-  {previous.get_username()}: the empty user of this identity")
            self.stdout.write("   will be deleted; its tokens end, and its audit events are moved")

    def _link_by_email(self, usernames: set[str], *, apply: bool) -> None:
        all_proposals = propose_links(pool_users())
        linkable = [
            proposal
            for proposal in all_proposals
            if proposal.user is not None
            and (not usernames or proposal.user.get_username() in usernames)
        ]
        missing = usernames - {proposal.user.get_username() for proposal in linkable}
        if missing:
            raise CommandError(
                f"No pool user can be linked to {', '.join(sorted(missing))}. Run this command "
                "without names to see the reasons. Nothing was changed."
            )
        for proposal in all_proposals:
            if proposal.reason and not usernames:
                self.stdout.write(f"-  {proposal.username} {proposal.reason}")
        self._link_all(linkable, apply=apply)

    def _link_all(self, linkable: Iterable[Proposal], *, apply: bool) -> None:
        count = 0
        for proposal in linkable:
            is_linked = not apply or link(proposal)
            count += is_linked
            failure = "" if is_linked else ". Not linked: another process was faster"
            self.stdout.write(
                f"+  {proposal.username} <{proposal.email}>: link to {proposal.user.get_username()}"
                f"{_staff_mark(proposal.user)}{failure}"
            )
        self.stdout.write(
            f"{count} linked."
            if apply
            else f"{count} would be linked. Check each line, then add --apply."
        )


def _describe(user: Any) -> str:
    """Return the username, the rights, the state and the dates of a user of any model."""
    last_login = getattr(user, "last_login", None)
    parts = [
        "superuser" if getattr(user, "is_superuser", False) else "",
        "staff" if getattr(user, "is_staff", False) else "",
        "" if getattr(user, "is_active", True) else "deactivated",
        f"last sign-in {last_login:%Y-%m-%d}" if last_login else "",
    ]
    return ", ".join([user.get_username(), *filter(None, parts)])


def _staff_mark(user: Any) -> str:
    return " (staff)" if getattr(user, "is_staff", False) else ""
