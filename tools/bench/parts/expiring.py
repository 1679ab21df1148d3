"""Expire the access token of a signed-in browser (see ../inside.py)."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.models import SignIn


def main(order: dict[str, str]) -> dict[str, int]:
    """Expire the tokens of all sign-ins of this user."""
    past = timezone.now() - timedelta(seconds=30)
    sign_ins = SignIn.objects.live().filter(user__email=f"{order['username']}@example.com")
    changed = sign_ins.update(access_expires_at=past, renew_at=past)
    if not changed:
        raise RuntimeError("the user is not signed in")
    return {"changed": changed}
