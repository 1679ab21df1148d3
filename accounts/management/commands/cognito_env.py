"""Write a user pool's values into .env, from a CloudFormation stack or from the pool itself."""

from __future__ import annotations

import os
import re
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ...provider import aws
from .. import env_file

_NOT_WRITTEN = "Nothing was written."


class Command(BaseCommand):
    help = (
        "Write a user pool's values into .env, from a CloudFormation stack or from the pool itself."
        " It shows the changes and asks for confirmation. Needs boto3, and AWS credentials with the"
        " permission to describe the stack or the pool."
    )
    requires_system_checks = ()  # without these values, the checks fail

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--stack", help="a stack created from infra/1-user-pool.yaml")
        parser.add_argument("--pool", help="instead of --stack: the ID of the user pool")
        parser.add_argument("--client", help="with --pool: the ID of its app client with a secret")
        parser.add_argument(
            "--region", default="", help="the region of the stack (default: AWS_REGION)"
        )
        parser.add_argument(
            "--file",
            default=os.environ.get("ENV_FILE") or Path(getattr(settings, "BASE_DIR", ""), ".env"),
            help="the file to change (default: ENV_FILE, or the project's .env)",
        )
        parser.add_argument("--yes", action="store_true", help="write without confirmation")
        parser.add_argument("--dry-run", action="store_true", help="only show the changes")
        parser.add_argument("--show-secret", action="store_true", help="also print the secret")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["stack"]) == bool(options["pool"] or options["client"]):
            raise CommandError(f"Give either --stack, or --pool and --client. {_NOT_WRITTEN}")
        if options["pool"] and not options["client"]:
            raise CommandError(
                f"--pool needs --client, an app client with a secret. {_NOT_WRITTEN}"
            )
        try:
            values = (
                values_of_stack(options["stack"], options["region"])
                if options["stack"]
                else values_of_pool(options["pool"], options["client"])
            )
        except aws.AwsError as problem:
            raise CommandError(f"{problem} {_NOT_WRITTEN}") from problem
        file = Path(options["file"])
        try:
            self._change(file, values, options)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise CommandError(f"{file} can't be changed: {reason}. {_NOT_WRITTEN}") from error

    def _change(self, file: Path, values: dict[str, str], options: dict[str, Any]) -> None:
        before = env_file.read(file)
        changes = {name: value for name, value in values.items() if before.get(name) != value}
        if not changes:
            if not options["dry_run"]:
                env_file.keep_private(file)
            self.stdout.write(f"{file} already holds these values.")
            return
        self.stdout.write(f"{file}:")
        for name, value in changes.items():
            if _is_secret(name, value) and not options["show_secret"]:
                value = "(not shown)"
            self.stdout.write(f"  {name}={value}{_previous_value(name, before)}")
        if options["dry_run"]:
            self.stdout.write(_NOT_WRITTEN)
            return
        if not options["yes"] and not _is_confirmed():
            raise CommandError(f"{_NOT_WRITTEN} Add --yes to write without confirmation.")
        env_file.write(file, values)
        if values["COGNITO_CLIENT_SECRET"].startswith("arn:"):
            self.stdout.write(
                "The secret stays in Secrets Manager, which changes it. The site reads it there, so"
                " its servers need boto3 and the permission secretsmanager:GetSecretValue."
            )
        self.stdout.write("Written. To check the configuration, run: manage.py cognito_doctor")


def values_of_stack(stack: str, region: str) -> dict[str, str]:
    """Return the values of a stack's outputs, and the secret. Raises aws.AwsError."""
    response = aws.call("cloudformation", "describe_stacks", region=region, StackName=stack)
    outputs = {
        _variable_name(output["OutputKey"]): output["OutputValue"]
        for output in response["Stacks"][0].get("Outputs", ())
    }
    values = {name: value for name, value in outputs.items() if name.startswith("COGNITO_")}
    missing = {"COGNITO_POOL_ID", "COGNITO_CLIENT_ID", "COGNITO_CLIENT_DOMAIN"} - values.keys()
    if missing:
        raise aws.AwsError(
            f"The stack {stack} has no outputs for {', '.join(sorted(missing))}. Use the stack"
            " created from infra/1-user-pool.yaml, or use --pool and --client."
        )
    secret = _client_secret(values["COGNITO_POOL_ID"], values["COGNITO_CLIENT_ID"])
    return values | {"COGNITO_CLIENT_SECRET": secret}


def values_of_pool(pool_id: str, client_id: str) -> dict[str, str]:
    """Return the values of a pool and an app client. Raises aws.AwsError."""
    if not re.fullmatch(r"[\w-]+_[0-9A-Za-z]+", pool_id, re.ASCII):
        raise aws.AwsError(f"{pool_id} is not a pool ID. Pool IDs look like eu-west-1_AbCdEf123.")
    region = pool_id.partition("_")[0]
    secret = _client_secret(pool_id, client_id)
    pool = aws.call("cognito-idp", "describe_user_pool", region=region, UserPoolId=pool_id)
    custom, prefix = (pool["UserPool"].get(name) for name in ("CustomDomain", "Domain"))
    if not custom and not prefix:
        raise aws.AwsError(
            f"The pool {pool_id} has no domain, so it has no hosted UI. Create a domain in the"
            f" console: Cognito > User pools > {pool_id} > Domain."
        )
    return {
        "COGNITO_POOL_ID": pool_id,
        "COGNITO_CLIENT_ID": client_id,
        "COGNITO_CLIENT_DOMAIN": (
            f"https://{custom}" if custom else f"https://{prefix}.auth.{region}.amazoncognito.com"
        ),
        "COGNITO_CLIENT_REGION": region,
        "COGNITO_CLIENT_SECRET": secret,
    }


def _client_secret(pool_id: str, client_id: str) -> str:
    """Return the secret of the app client, or its ARN if Cognito keeps it in Secrets Manager."""
    response = aws.call(
        "cognito-idp",
        "describe_user_pool_client",
        region=pool_id.partition("_")[0],
        UserPoolId=pool_id,
        ClientId=client_id,
    )
    app_client = response["UserPoolClient"]
    secret = app_client.get("ClientSecretArn") or app_client.get("ClientSecret")
    if not secret:
        raise aws.AwsError(
            f"App client {client_id} has no secret. A server needs a secret, and it can't be added"
            " later, so use or create another app client."
        )
    return str(secret)


def _is_secret(name: str, value: str) -> bool:
    return "SECRET" in name and not value.startswith(("arn:", "/"))


def _variable_name(output_key: str) -> str:
    """Return COGNITO_POOL_ID for CognitoPoolId: output keys cannot contain underscores."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", output_key).upper()


def _previous_value(name: str, before: dict[str, str]) -> str:
    if name not in before:
        return "  (new)"
    is_secret = _is_secret(name, before[name])
    return "  (had another value)" if is_secret else f"  (was {before[name]})"


def _is_confirmed() -> bool:
    if not sys.stdin.isatty():
        return False
    try:
        return input("Write these values? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:  # Ctrl-D
        return False
