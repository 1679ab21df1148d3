"""Export a user's personal data as JSON."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.core.serializers.json import DjangoJSONEncoder

from ...audit import events
from ...directory.lookup import get_user_by_name
from ...models import EventKind
from ...privacy.export import personal_data
from ...problems.errors import UserLookupError
from ...provider import aws, user_pool
from ...users.provisioning import own_pool_identities
from ..base import DatabaseCommand


class Command(DatabaseCommand):
    help = (
        "Print all personal data of a user as JSON. NAME is the username in the pool or here, the "
        "email address or the user ID (sub). Tokens and password hashes are left out."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument(
            "--pool",
            action="store_true",
            help="include the data of the user pool; needs boto3 and cognito-idp:ListUsers",
        )

    def handle(self, *args: Any, name: str, pool: bool, **options: Any) -> None:
        try:
            user = get_user_by_name(name)
            content = personal_data(user) | ({"pool": _pool_data(user)} if pool else {})
        except (UserLookupError, aws.AwsError) as problem:
            raise CommandError(str(problem)) from problem
        events.record_event(EventKind.EXPORTED, user=user, reason="operator")
        self.stdout.write(json.dumps(content, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False))


def _pool_data(user: Any) -> list[dict[str, Any]]:
    pool_users = [
        user_pool.get_user(identity.subject) for identity in own_pool_identities(user=user)
    ]
    return [
        {"username": pool_user.username, "status": pool_user.status, **pool_user.attributes}
        for pool_user in pool_users
        if pool_user is not None
    ]
