"""Controls of the site that are removed one at a time, to test the checker.

The patches run in the process of an instance (tools/rehearsal/weakened.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt

from tools.rehearsal.weakened import replace


@dataclass(frozen=True)
class Weakness:
    """A control that `patch` removes, and the attacks that detect it.

    One finding must begin with `noticed_by`. `faster` is a factor for the rate of the attacks.
    """

    name: str
    control: str
    attacks: tuple[str, ...]
    noticed_by: str
    patch: Callable[[], None]
    faster: float = 1.0
    seconds: float = 8.0


def _files_on_disk() -> None:
    from sso_project import settings

    handler = "django.core.files.uploadhandler.TemporaryFileUploadHandler"
    replace(settings, "FILE_UPLOAD_HANDLERS", [handler])


def _unlimited_headers() -> None:
    from sso_project import request_guard

    replace(request_guard, "check_headers", lambda headers, path: None)


def _undrained_bodies() -> None:
    from deploy import worker

    replace(worker, "MAX_DRAINED_BYTES", 65_536)


def _unlimited_waiting() -> None:
    from deploy import worker

    replace(worker.WaitingClients, "add", lambda self, client: None)


def _unsigned_cursors() -> None:
    import django

    django.setup()
    from django.core.signing import Signer

    from stats.api import pagination

    class Unsigned(Signer):
        def unsign(self, signed_value: str) -> str:
            return signed_value.rpartition(self.sep)[0]

    replace(pagination, "Signer", Unsigned)


def _unlimited_key_downloads() -> None:
    from accounts.cognito.jwks import KeyStore

    original = KeyStore.__init__

    def without_pause(self: KeyStore, *args: Any, **options: Any) -> None:
        original(self, *args, **{**options, "cooldown_seconds": 0})

    replace(KeyStore, "__init__", without_pause)


def _unverified_signatures() -> None:
    from accounts.cognito import verifier

    class Unverified:
        def decode_complete(self, token: str, *args: Any, **options: Any) -> Any:
            return jwt.api_jws.PyJWS().decode_complete(token, options={"verify_signature": False})

    replace(verifier, "_RS256", Unverified())


def _unlimited_passwords() -> None:
    import django

    django.setup()
    from accounts.signin import break_glass

    replace(break_glass, "count_attempt", lambda request, username: 0)


def _reusable_attempts() -> None:
    import django

    django.setup()
    from accounts.signin import attempts

    replace(attempts, "is_used", lambda attempt: attempt.used)
    replace(attempts, "use", lambda attempt: True)


def _unlimited_calls() -> None:
    import django

    django.setup()
    from accounts.tokens import call_budget

    replace(call_budget, "MAX_FAILED_CALLS", 1_000_000)


WEAKNESSES = (
    Weakness(
        "files-on-disk",
        "the refusal of files from strangers",
        ("files to the import page",),
        "bound exceeded: temporary folder",
        _files_on_disk,
        faster=2,
    ),
    Weakness(
        "unlimited-headers",
        "the limits of headers",
        ("costly Content-Type",),
        "unacceptable response: costly Content-Type: 200",
        _unlimited_headers,
    ),
    Weakness(
        "undrained-bodies",
        "reading on while a body is refused",
        ("whole files to an instance",),
        "unacceptable response: whole files to an instance: closed",
        _undrained_bodies,
        faster=2,
    ),
    Weakness(
        "unlimited-waiting",
        "the number of threads that slow clients may keep",
        ("bodies byte by byte to an instance",),
        "honest request was slow",
        _unlimited_waiting,
        faster=5,
        seconds=12,
    ),
    Weakness(
        "unsigned-cursors",
        "the signature of cursors",
        ("junk cursors",),
        "unacceptable response: junk cursors: 500",
        _unsigned_cursors,
    ),
    Weakness(
        "unverified-signatures",
        "the signature of access tokens",
        ("tokens signed with another key",),
        "unacceptable response: tokens signed with another key: 200",
        _unverified_signatures,
    ),
    Weakness(
        "unlimited-key-downloads",
        "the pause between downloads of the key set for unknown key ids",
        ("unknown key ids",),
        "bound exceeded: downloads of the key set",
        _unlimited_key_downloads,
        faster=3,
    ),
    Weakness(
        "unlimited-passwords",
        "the limit of break-glass passwords",
        ("guessed break-glass passwords",),
        "too many responses: guessed break-glass passwords",
        _unlimited_passwords,
        faster=4,
        seconds=60,  # each guess is hashed, which is intentionally slow
    ),
    Weakness(
        "reusable-attempts",
        "the single callback of a sign-in attempt",
        ("many codes with one attempt",),
        "unacceptable response: many codes with one attempt: exchanged again",
        _reusable_attempts,
    ),
    Weakness(
        "unlimited-calls",
        "the budget of an IP address for calls to Cognito, at get-tokens",
        ("guessed codes",),
        "too many responses: guessed codes",
        _unlimited_calls,
        faster=15,
        seconds=12,
    ),
    Weakness(
        "unlimited-refreshes",
        "the same budget, for refresh tokens in headers",
        ("guessed refresh tokens",),
        "too many responses: guessed refresh tokens",
        _unlimited_calls,
        faster=15,
        seconds=12,
    ),
    Weakness(
        "unlimited-callbacks",
        "the same budget, for callbacks",
        ("an attempt for each code",),
        "too many responses: an attempt for each code",
        _unlimited_calls,
        faster=15,
        seconds=12,
    ),
)
