"""Controls of the site that are replaced one at a time, to see whether the checker notices.

The patches run in the process of an instance, before its application is imported: no switch of the
site does any of this.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Weakness:
    """A control that `patch` removes, and the attacks that should notice.

    One finding has to begin with `noticed_by`. The attacks run `faster` than in a whole run.
    """

    name: str
    control: str
    attacks: tuple[str, ...]
    noticed_by: str
    patch: Callable[[], None]
    faster: float = 1.0
    seconds: float = 8.0


def _unlimited_key_downloads() -> None:
    from accounts.cognito.jwks import KeyStore

    original = KeyStore.__init__

    def without_pause(self: KeyStore, *args: Any, **options: Any) -> None:
        original(self, *args, **{**options, "cooldown_seconds": 0})

    KeyStore.__init__ = without_pause  # type: ignore[method-assign]


def _unlimited_passwords() -> None:
    import django

    django.setup()
    from accounts import break_glass

    break_glass.attempts_too_many = lambda request, username: 0


def _unverified_signatures() -> None:
    from accounts.cognito import verifier

    class Unverified:
        def decode_complete(self, token: str, *args: Any, **options: Any) -> dict[str, Any]:
            import jwt

            unverified = jwt.api_jws.PyJWS().decode_complete(
                token, options={"verify_signature": False}
            )
            return dict(unverified)

    verifier._RS256 = Unverified()  # type: ignore[assignment]


def _unlimited_exchanges() -> None:
    from sso_project import settings

    settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] = {"get-tokens": "1000000/min"}


WEAKNESSES = (
    Weakness(
        "unlimited-key-downloads",
        "the pause between two downloads of the key set for unknown key ids",
        ("unknown key ids",),
        "bound exceeded: downloads of the key set",
        _unlimited_key_downloads,
        faster=2,
    ),
    Weakness(
        "unlimited-passwords",
        "the limit of break-glass passwords by IP address and by name",
        ("guessed break-glass passwords",),
        "too many responses: guessed break-glass passwords",
        _unlimited_passwords,
        faster=4,
        seconds=20,  # each guess is hashed, which takes long on purpose
    ),
    Weakness(
        "unverified-signatures",
        "the signature of access tokens",
        ("tokens signed with another key",),
        "unacceptable response: tokens signed with another key: 200",
        _unverified_signatures,
    ),
    Weakness(
        "unlimited-exchanges",
        "the budget of an IP address for codes that are exchanged",
        ("guessed codes",),
        "too many responses: guessed codes",
        _unlimited_exchanges,
        faster=10,
    ),
)
