"""A finding, and the places that its fix points at."""

from __future__ import annotations

from dataclasses import dataclass

from ..cognito.addresses import is_loopback
from ..cognito.config import CognitoConfig

TEMPLATE = "infra/1-user-pool.yaml"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    `id` is stable: scripts may compare it. `what` names the address or variable, `why` what it
    leads to, `fix` each way to repair it. None of them ever holds a secret.
    """

    id: str
    what: str
    why: str
    fix: tuple[str, ...]


def at_the_client(
    config: CognitoConfig, tab: str, *, template: str, local: str, client_id: str = ""
) -> tuple[str, ...]:
    """The ways to change something at the app client: console, template; or at the local pool."""
    if is_loopback(config.domain):
        return (f"Local pool: {local}, then restart it.",)
    client = client_id or config.client_id
    return (
        f"Console: Cognito > User pools > {config.pool_id} > App clients > {client} > {tab}.",
        f"Template: {template} in {TEMPLATE}, then `aws cloudformation deploy`.",
        (
            "Command line: `aws cognito-idp update-user-pool-client` sets whatever you leave out"
            " back to its default; start from what `describe-user-pool-client` prints."
        ),
    )


def in_environment(*names: str) -> tuple[str, ...]:
    """The way to change a variable of this site."""
    return (f"Environment or .env: set {' and '.join(names)}, then restart the site.",)
