"""Encrypt the stored tokens of Cognito with the first key of TOKEN_ENCRYPTION_KEYS."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import CommandError
from django.db.models import QuerySet

from ...core.encryption import DecryptionError
from ...models import PendingRevocation, RefreshResult, SignIn
from ...provider import provider
from ..base import DatabaseCommand


class Command(DatabaseCommand):
    """It signs no user out. It can run while the site is in use, and more than once."""

    help = (
        "Encrypt stored tokens with the first key of TOKEN_ENCRYPTION_KEYS, so that you can remove "
        "earlier keys. --check only counts, and fails if any token needs an earlier key."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        counts: Counter[str] = Counter()
        _reseal(SignIn.objects.live().exclude(sealed_tokens=""), "sealed_tokens", counts, check)
        _reseal(PendingRevocation.objects.all(), "sealed_token", counts, check)
        results = RefreshResult.objects.exclude(sealed_result="")  # not yet stored in a sign-in
        _reseal(results, "sealed_result", counts, check)
        self.stdout.write(
            f"Encrypted with the first key already: {counts['current']}."
            f" {'Encrypted with earlier keys' if check else 'Encrypted again'}:"
            f" {counts['outdated']}."
        )
        if counts["unreadable"]:
            self.stdout.write(
                f"No configured key decrypts {counts['unreadable']}. Add their key to"
                " TOKEN_ENCRYPTION_KEYS again. Otherwise these users must sign in again when their"
                " access tokens expire."
            )
        if check and counts["outdated"]:
            raise CommandError("Run this without --check before you remove the earlier keys.")


def _reseal(queryset: QuerySet[Any], field: str, counts: Counter[str], check: bool) -> None:
    cipher = provider().cipher
    for pk, sealed in queryset.order_by("pk").values_list("pk", field).iterator(chunk_size=500):
        try:
            resealed = cipher.reseal(sealed)
        except DecryptionError:
            counts["unreadable"] += 1
            continue
        if resealed is None:
            counts["current"] += 1
            continue
        # Replace only the value that was read: a newer one already has the first key. The version
        # stays, so that a renewal in progress can store its tokens.
        if check or queryset.filter(**{"pk": pk, field: sealed}).update(**{field: resealed}):
            counts["outdated"] += 1
