"""Encrypt what we keep of Cognito's tokens with the first of TOKEN_ENCRYPTION_KEYS."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from ...core.encryption import Unreadable
from ...models import PendingRevocation, SharedRefresh, SignIn
from ...provider import provider


class Command(BaseCommand):
    """Nobody is signed out by it, and people may go on working; safe to run twice."""

    help = (
        "Encrypt kept tokens with the first of TOKEN_ENCRYPTION_KEYS, so that earlier keys can be "
        "taken away. --check only counts, and fails while something needs an earlier key."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        counted: Counter[str] = Counter()
        _reseal(SignIn.objects.live().exclude(sealed_tokens=""), "sealed_tokens", counted, check)
        _reseal(PendingRevocation.objects.all(), "sealed_token", counted, check)
        results = SharedRefresh.objects.exclude(sealed_result="")  # one may wait to be stored
        _reseal(results, "sealed_result", counted, check)
        self.stdout.write(
            f"Under the first key already: {counted['already']}."
            f" {'Under earlier keys' if check else 'Encrypted anew'}: {counted['anew']}."
        )
        if counted["unreadable"]:
            self.stdout.write(
                f"No listed key opens {counted['unreadable']}: put their key back, or those people"
                " sign in again when their access tokens end."
            )
        if check and counted["anew"]:
            raise CommandError("Run this without --check before you take the earlier keys away.")


def _reseal(rows: QuerySet[Any], field: str, counted: Counter[str], check: bool) -> None:
    cipher = provider().cipher
    for pk, sealed in rows.order_by("pk").values_list("pk", field).iterator(chunk_size=500):
        try:
            anew = cipher.resealed(sealed)
        except Unreadable:
            counted["unreadable"] += 1
            continue
        if anew is None:
            counted["already"] += 1
            continue
        # Only over what was read: whoever wrote meanwhile used the first key. The version stays,
        # so that a renewal under way can store its tokens.
        if check or rows.filter(**{"pk": pk, field: sealed}).update(**{field: anew}):
            counted["anew"] += 1
