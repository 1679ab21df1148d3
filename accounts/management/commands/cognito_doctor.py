"""Check that this site and its user pool can work together, and print a fix for each finding."""

import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from ...cognito.safe_urls import url_problem
from ...doctor import client_settings, pool_settings, report, session_settings
from ...doctor.examination import examine
from ...provider import Provider
from ...provider.aws import AwsError
from ..base import DatabaseCommand


class Command(DatabaseCommand):
    help = (
        "Check that this site and its user pool can work together, and print a fix for each"
        " finding. Exit status 0: no findings. 1: there are findings, or the check failed."
    )
    requires_system_checks = ()  # it reports their findings itself

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--base-url",
            default="",
            help="the public URL of the site (default: PUBLIC_URL); with a path if a proxy or a"
            " stage of API Gateway adds one",
        )
        parser.add_argument(
            "--production", action="store_true", help="also check what production requires"
        )
        source = parser.add_mutually_exclusive_group()
        source.add_argument(
            "--describe",
            action="store_true",
            help="read the settings of the app client, the pool and its sessions from AWS",
        )
        source.add_argument(
            "--client-json",
            metavar="FILE",
            help="the output of `aws cognito-idp describe-user-pool-client` (- for standard input)",
        )
        parser.add_argument("--json", action="store_true", help="print JSON instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        def describe(current: Provider) -> Mapping[str, Any] | None:
            if options["describe"]:
                return client_settings.fetch(current.config)
            if options["client_json"]:
                return client_settings.read(_read_text(options["client_json"]), current.config)
            return None

        def describe_pool(current: Provider) -> Mapping[str, Any] | None:
            return pool_settings.fetch(current.pool) if options["describe"] else None

        def describe_sessions(current: Provider) -> session_settings.SessionSettings | None:
            return session_settings.fetch(current) if options["describe"] else None

        try:
            examination = examine(
                base_url=_base_url(options["base_url"]),
                production=options["production"],
                describe=describe,
                describe_pool=describe_pool,
                describe_sessions=describe_sessions,
            )
        except AwsError as problem:
            raise CommandError(str(problem)) from problem
        except client_settings.InvalidDescription as problem:
            raise CommandError(
                f"--client-json can't be used: {problem}. Use the output of `aws cognito-idp"
                " describe-user-pool-client --user-pool-id … --client-id …`."
            ) from problem
        render = report.as_json if options["json"] else report.as_text
        self.stdout.write(render(examination))
        if examination.findings:
            sys.exit(1)


def _base_url(value: str) -> str:
    problem = url_problem(value) if value else None
    if problem:
        option = "--base-url" if "@" in value else f"--base-url {value}"  # it may hold a password
        raise CommandError(f"{option} {problem}. Use a URL like https://app.example.com.")
    return value.rstrip("/")


def _read_text(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CommandError(
            f"--client-json {name} can't be read ({type(error).__name__})."
        ) from error
