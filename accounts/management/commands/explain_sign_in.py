"""Retell an attempt to sign in from its reference."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...cognito.errors import CognitoError
from ...models import EventKind, SignIn, SignInEvent
from ...problems.catalog import Problem, problem_for

MAX_OMITTED_SHOWN = 3
_WORDS = {
    **dict(EventKind.choices),
    "callback": "came back from the hosted UI",
    "token": "Cognito redeemed the code",
    "renewed": "tokens renewed",
    "not renewed": "tokens not renewed",
    "not revoked": "the refresh token could not be revoked",
}


class Command(BaseCommand):
    help = "Tell what happened to a sign-in, from the reference that its page or the log shows."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", metavar="REF", help="such as 7c1e22aa")

    def handle(self, *, reference: str, **options: Any) -> None:
        reference = reference.strip().lower()
        events = list(SignInEvent.objects.filter(reference=reference).order_by("at", "pk"))
        if not events:
            raise CommandError(_why_nothing_is_recorded(reference))
        for event in events:
            self._tell(event)
        live = SignIn.objects.filter(reference=reference).first()
        if live is not None and live.ended_at is None:
            self.stdout.write(f"The session goes on; last seen {_time(live.last_seen_at)}.")

    def _tell(self, event: SignInEvent) -> None:
        details = dict(event.details)
        for step in details.pop("steps", []):
            self._tell_step(step)
        who = f" as {event.pool_username}" if event.pool_username else ""
        where = " · ".join(part for part in (event.ip_address, event.device) if part)
        line = f"{_time(event.at)}  {_WORDS.get(event.kind, event.kind)}{who}"
        reason = f": {event.reason}" if event.reason else ""
        self.stdout.write(line + reason + (f"  ({where})" if where else ""))
        for name, value in details.items():
            self.stdout.write(f"             {name}: {value}")
        if event.kind == EventKind.REFUSED:
            self._advise(event.reason)

    def _tell_step(self, step: dict[str, Any]) -> None:
        step = dict(step)
        at = datetime.fromtimestamp(step.pop("at"), UTC)
        if began := step.pop("began", ""):
            target = f", on the way to {step.pop('next')}" if "next" in step else ""
            self.stdout.write(f"{_time(datetime.fromisoformat(began))}  began{target}")
        name = step.pop("step")
        rest = ", ".join(f"{key} {value}" for key, value in step.items())
        self.stdout.write(f"{_time(at)}  {_WORDS.get(name, name)}" + (f" ({rest})" if rest else ""))

    def _advise(self, code: str) -> None:
        problem = _problem_with(code)
        if problem is None:
            return
        self.stdout.write(f"             {problem.what} {problem.why}".rstrip())
        self.stdout.write(f"             The person was told: {problem.next_step}")
        if problem.settings:
            self.stdout.write(f"             To mend it, look at: {problem.settings}")


def _why_nothing_is_recorded(reference: str) -> str:
    """Return what can be the reason, beginning with the limits of the audit log if they applied."""
    nothing = f"Nothing is recorded under {reference}."
    search = "Search the log for the reference; for a local pool its log as well."
    omitted = SignInEvent.objects.filter(kind=EventKind.REFUSALS_OMITTED).order_by("-at")[
        :MAX_OMITTED_SHOWN
    ]
    if omitted:
        hours = "; ".join(
            f"from {_time(event.at)} to the end of that hour: {event.reason}, "
            f"{event.details.get('why', '')}"
            for event in omitted
        )
        return (
            f"{nothing} It may be one of the refusals that were left out because there were too "
            f"many ({hours}). Else the user did not come back from the hosted UI. {search}"
        )
    return (
        f"{nothing} The user never came back from the hosted UI, or came back without this "
        "attempt's cookie (another browser, or ten minutes later), or was answered 429 because too "
        f"many attempts of their network failed, or it is long ago. {search} A user who is stuck "
        "at the hosted UI's error page usually means a callback URL that is not registered: "
        "manage.py check, and PUBLIC_URL."
    )


def _problem_with(code: str) -> Problem | None:
    """The row of the error class with this code."""
    kinds: list[type[CognitoError]] = [CognitoError]
    for kind in kinds:
        kinds += kind.__subclasses__()
        if kind.code == code:
            return problem_for(kind.__new__(kind))
    return None


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
