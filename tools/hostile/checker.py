"""The checks after a phase of attacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tools.load.ledger import Ledger, RecordedResponse

from .attack import NAMES, Attack
from .attackers import AttackLog
from .attacks import ATTACKS
from .bounds import Bound, Context, bounds
from .machine import Sample, available
from .measure import Measurements

MAX_HONEST_SECONDS = 2.0  # for an honest request, on an otherwise idle machine


@dataclass(frozen=True)
class Phase:
    """A phase of attacks on a site with some honest users."""

    people: int
    ledger: Ledger
    logs: list[AttackLog]
    measured: Measurements
    samples: list[Sample]
    contradictions: list[str] = field(default_factory=list)  # between ledger and database
    faster: float = 1.0  # factor for the rates of the attacks

    @property
    def bounds(self) -> list[Bound]:
        return bounds(Context(self.measured, self.ledger, self.people))

    def own_seconds(self, response: RecordedResponse) -> float:
        """Return the duration of a response without the share of other programs on this machine."""
        until = response.at + response.seconds
        return response.seconds * available(self.samples, response.at, until)


def findings(phase: Phase) -> list[str]:
    """Return a message for each violation."""
    return [
        *_honest(phase),
        *(f"honest user: {violation}" for violation in phase.ledger.violations),
        *(f"database: {contradiction}" for contradiction in phase.contradictions),
        *(finding for log in phase.logs for finding in _attack(log, phase.faster)),
        *(
            f"bound exceeded: {bound.name}: {bound.measured:.0f}, at most {bound.limit:.0f}"
            for bound in phase.bounds
            if not bound.is_met
        ),
    ]


def _honest(phase: Phase) -> Iterator[str]:
    responses = phase.ledger.responses
    if not responses:
        yield "honest users: no request was sent"
    failures = Counter(
        (response.what, response.problem) for response in responses if response.problem
    )
    for (what, problem), number in failures.items():
        yield f"honest request failed: {what}: {problem}, {number} times"
    began_at = min((response.at for response in responses), default=0.0)
    for response in responses:
        if (seconds := phase.own_seconds(response)) > MAX_HONEST_SECONDS:
            when = f"in second {response.at - began_at:.0f}"
            yield f"honest request was slow: {response.what}: {seconds:.1f} s, {when}"


def _attack(log: AttackLog, faster: float) -> Iterator[str]:
    attack = attack_called(log.name)
    planned = attack.per_second * faster * log.seconds
    if log.requests < planned / 10:
        yield f"attack hardly ran: {log.name}: {log.requests} of {planned:.0f} requests"
    unacceptable = {
        status: number
        for status, number in sorted(log.statuses.items())
        if status not in attack.acceptable
    }
    for status, number in unacceptable.items():
        example = log.examples.get(status, "")
        what = f"{log.name}: {name_of(status)}, {number} times"
        yield f"unacceptable response: {what}, such as {example!r}"
    for status, allowance in attack.at_most.items():
        number, limit = (
            log.statuses[status],
            allowance.limit(log.began_at, log.seconds, log.addresses),
        )
        if number > limit:
            yield f"too many responses: {log.name}: {status}, {number} times, at most {limit}"


def name_of(status: int) -> str:
    return NAMES.get(status, str(status))


def attack_called(name: str) -> Attack:
    return next(attack for attack in ATTACKS if attack.name == name)
