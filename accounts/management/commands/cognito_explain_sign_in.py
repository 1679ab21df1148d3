"""Print the audit events of a sign-in attempt, by its reference."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ...cognito.errors import CognitoError
from ...models import EventKind, SignIn, SignInEvent, pool_of
from ...problems.catalog import Problem, problem_for
from ..base import DatabaseCommand

MAX_OMITTED_SHOWN = 3
_WORDS = {
    **dict(EventKind.choices),
    "callback": "returned from the hosted UI",
    "token": "Cognito exchanged the code",
    "renewed": "tokens renewed",
    "not renewed": "tokens not renewed",
    "not revoked": "the refresh token could not be revoked",
}


class Command(DatabaseCommand):
    help = "Print the steps of a sign-in attempt, by the reference on the error page or in the log."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", metavar="REF", help="such as 7c1e22aa")

    def handle(self, *, reference: str, **options: Any) -> None:
        reference = reference.strip().lower()
        events = list(SignInEvent.objects.filter(reference=reference).order_by("at", "pk"))
        if not events:
            raise CommandError(_no_events_message(reference))
        for event in events:
            self._print_event(event)
        sign_in = SignIn.objects.filter(reference=reference).first()
        if sign_in is not None and not sign_in.is_break_glass:
            self.stdout.write(
                f"Pool user: {sign_in.subject} at {pool_of(sign_in)}, issuer {sign_in.issuer}."
            )
            self._print_other_accounts(sign_in)
        if sign_in is not None and sign_in.ended_at is None:
            self.stdout.write(f"The sign-in is active. Last seen: {_time(sign_in.last_seen_at)}.")

    def _print_other_accounts(self, sign_in: SignIn) -> None:
        """Print which account the pool user has now, if this sign-in was of another one."""
        identity = sign_in.identity
        if identity is not None and identity.user_id != sign_in.user_id:
            self.stdout.write(
                f"This sign-in was of the account {sign_in.user.get_username()}. The pool user now "
                f"has {identity.user.get_username()} (manage.py cognito_link_users --set-aside)."
            )

    def _print_event(self, event: SignInEvent) -> None:
        details = dict(event.details)
        for step in details.pop("steps", []):
            self._print_step(step)
        username = f" as {event.pool_username}" if event.pool_username else ""
        sender = " · ".join(part for part in (event.ip_address, event.device) if part)
        line = f"{_time(event.at)}  {_WORDS.get(event.kind, event.kind)}{username}"
        reason = f": {event.reason}" if event.reason else ""
        self.stdout.write(line + reason + (f"  ({sender})" if sender else ""))
        for name, value in details.items():
            self.stdout.write(f"             {name}: {value}")
        if event.kind == EventKind.REFUSED:
            self._print_advice(event.reason)

    def _print_step(self, step: dict[str, Any]) -> None:
        step = dict(step)
        at = datetime.fromtimestamp(step.pop("at"), UTC)
        if started_at := step.pop("began", ""):
            target = f", next page: {step.pop('next')}" if "next" in step else ""
            self.stdout.write(f"{_time(datetime.fromisoformat(started_at))}  started{target}")
        name = step.pop("step")
        details = ", ".join(f"{key} {value}" for key, value in step.items())
        line = f"{_time(at)}  {_WORDS.get(name, name)}"
        self.stdout.write(line + (f" ({details})" if details else ""))

    def _print_advice(self, code: str) -> None:
        problem = _problem_of_code(code)
        if problem is None:
            return
        self.stdout.write(f"             {problem.what} {problem.why}".rstrip())
        self.stdout.write(f"             Shown to the user: {problem.next_step}")
        if problem.setting_names:
            self.stdout.write(f"             Check these settings: {problem.setting_names}")


def _no_events_message(reference: str) -> str:
    """Return the possible reasons, first the limits of the audit log if they applied."""
    no_events = f"The audit log has no events for {reference}."
    search = "Search the server log for the reference, and the log of a local pool."
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
            f"{no_events} It may be one of the refusals that were left out because there were too "
            f"many ({hours}). Otherwise the user did not return from the hosted UI. {search}"
        )
    return (
        f"{no_events} The user never returned from the hosted UI, or returned without the cookie "
        "of this attempt (in another browser, or after more than ten minutes), or got status 429 "
        "because too many attempts from the same network failed, or the events were deleted "
        f"because of their age. {search} If the hosted UI shows an error page, the callback URL is "
        "usually not registered: run manage.py check, and check PUBLIC_URL."
    )


def _problem_of_code(code: str) -> Problem | None:
    """Return the problem of the error class with this code, or None if there is no such class."""
    kinds: list[type[CognitoError]] = [CognitoError]
    for kind in kinds:
        kinds += kind.__subclasses__()
        if kind.code == code:
            return problem_for(kind.__new__(kind))
    return None


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
