"""A signed-in browser's access token ends now (runs inside, see ../inside.py)."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.models import SignIn


def main(order: dict[str, str]) -> dict[str, int]:
    """Of all sign-ins of the person with that name's e-mail address."""
    past = timezone.now() - timedelta(seconds=30)
    theirs = SignIn.objects.live().filter(user__email=f"{order['username']}@example.com")
    changed = theirs.update(access_expires_at=past, renew_at=past, lease_until=None, lease_owner="")
    if not changed:
        raise RuntimeError("nobody is signed in")
    return {"changed": changed}
