"""A finding, and the places that its fix points at."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

from ..cognito.config import CognitoConfig
from ..cognito.safe_urls import is_loopback

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
    config: CognitoConfig, tab: str, *, template: str, local: str, change: str, client_id: str = ""
) -> tuple[str, ...]:
    """The ways to change something at the app client: console, template, command line.

    `change` is a jq filter over what `describe-user-pool-client` tells. At a pool on this machine
    `local` is the one way.
    """
    if is_loopback(config.domain):
        return (f"Local pool: {local}, then restart it.",)
    client = client_id or config.client_id
    return (
        f"Console: Cognito > User pools > {config.pool_id} > App clients > {client} > {tab}.",
        f"Template: {template} in {TEMPLATE}, then `aws cloudformation deploy`.",
        f"Command line (with jq): `{_command_line(config, client, change)}`",
    )


def _command_line(config: CognitoConfig, client_id: str, change: str) -> str:
    """Describe, change, update: an update sets whatever it leaves out back to its default."""
    aws = f"aws cognito-idp --region {config.region} --output json"
    # The description's only members that an update does not take.
    edit = f"del(.ClientSecret, .CreationDate, .LastModifiedDate) | {change}"
    return (
        f"{aws} describe-user-pool-client --user-pool-id {config.pool_id} --client-id {client_id}"
        f" --query UserPoolClient | jq {shlex.quote(edit)} > client.json &&"
        f" {aws} update-user-pool-client --cli-input-json file://client.json"
    )


def member(name: str, operator: str, value: object) -> str:
    """One step of a `change`: `member("CallbackURLs", "+=", [address])`."""
    return f".{name} {operator} {json.dumps(value)}"


def in_environment(*names: str) -> tuple[str, ...]:
    """The way to change a variable of this site."""
    return (f"Environment or .env: set {' and '.join(names)}, then restart the site.",)
