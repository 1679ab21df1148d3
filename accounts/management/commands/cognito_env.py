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

_NEXT = "Nothing was written."


class Command(BaseCommand):
    help = (
        "Write a user pool's values into .env, from a CloudFormation stack or from the pool itself,"
        " after showing what changes. Needs boto3, and AWS credentials that may describe them."
    )
    requires_system_checks = ()  # it is there to make them pass

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--stack", help="a stack made from infra/1-user-pool.yaml")
        parser.add_argument("--pool", help="or the user pool's id …")
        parser.add_argument("--client", help="… and the id of its app client with a secret")
        parser.add_argument("--region", default="", help="the stack's region, if not AWS_REGION")
        parser.add_argument(
            "--file",
            default=os.environ.get("ENV_FILE") or Path(getattr(settings, "BASE_DIR", ""), ".env"),
            help="what to change, if not ENV_FILE or the project's .env",
        )
        parser.add_argument("--yes", action="store_true", help="write without asking")
        parser.add_argument("--dry-run", action="store_true", help="only show what would change")
        parser.add_argument(
            "--show-secret", action="store_true", help="print the secret in the clear, too"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["stack"]) == bool(options["pool"] or options["client"]):
            raise CommandError(f"Give either --stack, or --pool and --client. {_NEXT}")
        if options["pool"] and not options["client"]:
            raise CommandError(f"--pool needs --client, the app client with a secret. {_NEXT}")
        try:
            values = (
                values_of_stack(options["stack"], options["region"])
                if options["stack"]
                else values_of_pool(options["pool"], options["client"])
            )
        except aws.AwsProblem as problem:
            raise CommandError(f"{problem} {_NEXT}") from problem
        file = Path(options["file"])
        try:
            self._change(file, values, options)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise CommandError(f"{file} can't be changed: {reason}. {_NEXT}") from error

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
            shown = options["show_secret"] or "SECRET" not in name
            self.stdout.write(f"  {name}={value if shown else '(not shown)'}{_was(name, before)}")
        if options["dry_run"]:
            self.stdout.write(_NEXT)
            return
        if not options["yes"] and not _agreed():
            raise CommandError(f"{_NEXT} Add --yes to write without being asked.")
        env_file.write(file, values)
        self.stdout.write("Written. Check it: manage.py cognito_doctor")


def values_of_stack(stack: str, region: str) -> dict[str, str]:
    """The values of a stack's outputs, with the secret. Raises aws.AwsProblem."""
    answer = aws.call("cloudformation", "describe_stacks", region=region, StackName=stack)
    outputs = {
        _variable(output["OutputKey"]): output["OutputValue"]
        for output in answer["Stacks"][0].get("Outputs", ())
    }
    values = {name: value for name, value in outputs.items() if name.startswith("COGNITO_")}
    missing = {"COGNITO_POOL_ID", "COGNITO_CLIENT_ID", "COGNITO_CLIENT_DOMAIN"} - values.keys()
    if missing:
        raise aws.AwsProblem(
            f"The stack {stack} has no outputs for {', '.join(sorted(missing))}. Give the stack"
            " made from infra/1-user-pool.yaml, or use --pool and --client."
        )
    described = _client(values["COGNITO_POOL_ID"], values["COGNITO_CLIENT_ID"])
    return values | {"COGNITO_CLIENT_SECRET": described["ClientSecret"]}


def values_of_pool(pool_id: str, client_id: str) -> dict[str, str]:
    """The values of a pool and an app client. Raises aws.AwsProblem."""
    if not re.fullmatch(r"[\w-]+_[0-9A-Za-z]+", pool_id, re.ASCII):
        raise aws.AwsProblem(f"{pool_id} is no pool id. Ids look like eu-west-1_AbCdEf123.")
    region = pool_id.partition("_")[0]
    described = _client(pool_id, client_id)
    pool = aws.call("cognito-idp", "describe_user_pool", region=region, UserPoolId=pool_id)
    custom, prefix = (pool["UserPool"].get(name) for name in ("CustomDomain", "Domain"))
    if not custom and not prefix:
        raise aws.AwsProblem(
            f"The pool {pool_id} has no domain, so there is no hosted UI to sign in at. Make one:"
            f" console: Cognito > User pools > {pool_id} > Domain."
        )
    return {
        "COGNITO_POOL_ID": pool_id,
        "COGNITO_CLIENT_ID": client_id,
        "COGNITO_CLIENT_DOMAIN": (
            f"https://{custom}" if custom else f"https://{prefix}.auth.{region}.amazoncognito.com"
        ),
        "COGNITO_CLIENT_REGION": region,
        "COGNITO_CLIENT_SECRET": described["ClientSecret"],
    }


def _client(pool_id: str, client_id: str) -> dict[str, Any]:
    answer = aws.call(
        "cognito-idp",
        "describe_user_pool_client",
        region=pool_id.partition("_")[0],
        UserPoolId=pool_id,
        ClientId=client_id,
    )
    described: dict[str, Any] = answer["UserPoolClient"]
    if not described.get("ClientSecret"):
        raise aws.AwsProblem(
            f"App client {client_id} has no secret. A server needs one that has: it can't be added"
            " later, so use or create another app client."
        )
    return described


def _variable(output: str) -> str:
    """CognitoPoolId -> COGNITO_POOL_ID: outputs can hold no underscores."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", output).upper()


def _was(name: str, before: dict[str, str]) -> str:
    if name not in before:
        return "  (new)"
    return "  (was another one)" if "SECRET" in name else f"  (was {before[name]})"


def _agreed() -> bool:
    if not sys.stdin.isatty():
        return False
    try:
        return input("Write this? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:  # Ctrl-D
        return False
