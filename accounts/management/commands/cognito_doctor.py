"""Tell whether this site and its user pool will work together, and what to repair if not."""

import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...cognito.safe_urls import address_problem
from ...doctor import client_settings, report
from ...doctor.examination import examine
from ...provider import Provider
from ...provider.aws import AwsProblem


class Command(BaseCommand):
    help = (
        "Tell whether this site and its user pool will work together, and what to repair if not."
        " Exit code 0: nothing is wrong. 1: there are findings, or it couldn't do its work."
    )
    requires_system_checks = ()  # it reports what they find, in its own words

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--base-url",
            default="",
            help="how people reach the site, if not by PUBLIC_URL; with a path when a proxy or a"
            " stage of API Gateway puts one before the site's own",
        )
        parser.add_argument(
            "--production", action="store_true", help="also what a live site must fulfil"
        )
        source = parser.add_mutually_exclusive_group()
        source.add_argument(
            "--describe", action="store_true", help="ask AWS for the app client's settings"
        )
        source.add_argument(
            "--client-json",
            metavar="FILE",
            help="what `aws cognito-idp describe-user-pool-client` printed (- for standard input)",
        )
        parser.add_argument("--json", action="store_true", help="print JSON instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        def describe(current: Provider) -> Mapping[str, Any] | None:
            if options["describe"]:
                return client_settings.fetch(current.config)
            if options["client_json"]:
                return client_settings.read(_text(options["client_json"]), current.config)
            return None

        try:
            found = examine(
                base_url=_base_url(options["base_url"]),
                production=options["production"],
                describe=describe,
            )
        except AwsProblem as problem:
            raise CommandError(str(problem)) from problem
        except client_settings.NotADescription as problem:
            raise CommandError(
                f"--client-json can't be used: {problem}. Give what `aws cognito-idp"
                " describe-user-pool-client --user-pool-id … --client-id …` prints."
            ) from problem
        self.stdout.write(report.as_json(found) if options["json"] else report.as_text(found))
        if found.findings:
            sys.exit(1)


def _base_url(given: str) -> str:
    problem = address_problem(given) if given else None
    if problem:
        named = "--base-url" if "@" in given else f"--base-url {given}"  # it may hold a password
        raise CommandError(f"{named} {problem}. Give it like https://app.example.com.")
    return given.rstrip("/")


def _text(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CommandError(
            f"--client-json {name} can't be read ({type(error).__name__})."
        ) from error
