"""A finding, and the places where an operator can fix it."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

from ..cognito.config import CognitoConfig
from ..cognito.safe_urls import is_loopback

TEMPLATE = "infra/1-user-pool.yaml"


@dataclass(frozen=True)
class Finding:
    """A mistake in the configuration.

    `id` is stable, so scripts can compare it. `what` names the URL or the variable, `why` the
    consequence, and `fix` each way to repair it. None of them contains a secret.
    """

    id: str
    what: str
    why: str
    fix: tuple[str, ...]


def at_app_client(
    config: CognitoConfig,
    tab: str,
    *,
    template: str,
    change: str,
    local: str = "",
    client_id: str = "",
) -> tuple[str, ...]:
    """Return the ways to change the app client: console, template and command line.

    `change` is a jq filter for the output of `describe-user-pool-client`. `local` is the only way
    for a local pool, and "" if a local pool always has the correct setting.
    """
    if is_loopback(config.domain):
        if not local:
            return ("Local pool: this setting is fixed there. Use --describe to read it again.",)
        return (f"Local pool: {local}, then restart it.",)
    client = client_id or config.client_id
    return (
        f"Console: Cognito > User pools > {config.pool_id} > App clients > {client} > {tab}.",
        f"Template: {template} in {TEMPLATE}, then `aws cloudformation deploy`.",
        f"Command line (with jq): `{_command_line(config, client, change)}`",
    )


def _command_line(config: CognitoConfig, client_id: str, change: str) -> str:
    """Return a command that describes, changes and updates the app client.

    An update resets each setting that it leaves out, so it has to repeat all of them.
    """
    aws = f"aws cognito-idp --region {config.region} --output json"
    # The only members of the description that an update does not accept.
    edit = f"del(.ClientSecret, .ClientSecretArn, .CreationDate, .LastModifiedDate) | {change}"
    return (
        f"{aws} describe-user-pool-client --user-pool-id {config.pool_id} --client-id {client_id}"
        f" --query UserPoolClient | jq {shlex.quote(edit)} > client.json &&"
        f" {aws} update-user-pool-client --cli-input-json file://client.json"
    )


def member(name: str, operator: str, value: object) -> str:
    """Return one step of a `change`, for example `member("CallbackURLs", "+=", [url])`."""
    return f".{name} {operator} {json.dumps(value)}"


def in_environment(*names: str) -> tuple[str, ...]:
    """Return the way to change environment variables of this site."""
    return (f"Environment or .env: set {' and '.join(names)}, then restart the site.",)
