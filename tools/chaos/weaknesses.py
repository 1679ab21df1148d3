"""Rules of the site about changes of the pool that are broken one at a time, to test the checker.

The patches run in the process of an instance (tools/rehearsal/weakened.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.load.ledger import Kind
from tools.rehearsal.weakened import replace


@dataclass(frozen=True)
class Weakness:
    """A rule that `patch` or these variables of the `environment` break.

    One finding must begin with `noticed_by`.
    """

    name: str
    description: str
    noticed_by: str
    patch: Callable[[], None] = lambda: None
    environment: Mapping[str, str] = field(default_factory=dict)


def _read_secret_once() -> None:
    from accounts.cognito.client_secret import ClientSecret

    replace(ClientSecret, "replace", lambda self, refused_value, *, timeout: None)


def _end_sign_ins_after_any_refusal() -> None:
    import django

    _read_secret_once()
    django.setup()
    from accounts.cognito.errors import TokenEndpointError
    from accounts.sessions import renewal

    replace(renewal, "GrantRejected", TokenEndpointError)


def _key_identities_by_issuer() -> None:
    import django

    django.setup()
    from accounts.models import users as models
    from accounts.users import backend_hooks, provisioning

    original = backend_hooks.identity_key

    def identity_key(claims: Any) -> dict[str, str]:
        return {**original(claims), "pool_id": claims.issuer}

    replace(models, "pool_of", lambda key: key.issuer)
    replace(backend_hooks, "identity_key", identity_key)
    replace(provisioning, "identity_key", identity_key)


WEAKNESSES = (
    Weakness(
        "secret-read-once",
        "the client secret is read only at the start",
        "failed request",
        _read_secret_once,
    ),
    Weakness(
        "refusals-end-sign-ins",
        "a refused client secret ends a sign-in",
        Kind.UNWANTED_SIGN_OUT,
        _end_sign_ins_after_any_refusal,
    ),
    Weakness(
        "identities-by-issuer",
        "an identity is an issuer and a subject",
        Kind.SECOND_ACCOUNT,
        _key_identities_by_issuer,
    ),
    Weakness(
        "one-issuer",
        "only the original issuer is accepted",
        Kind.WRONG_RESPONSE,
        environment={"COGNITO_ISSUER": "{issuer}"},
    ),
)
