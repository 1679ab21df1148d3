"""The report of a run, as Markdown."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass
from statistics import median, quantiles

from tools.load.ledger import Ledger, RecordedResponse

from .faults import RECOVERY_SECONDS, Fault


@dataclass(frozen=True)
class Result:
    """The results of a run.

    `planted` are the expected findings for errors that were planted after the run, `seeded` the
    actual findings.
    """

    seconds: float
    people: int
    ledger: Ledger
    faults: list[Fault]
    contradictions: list[str]
    planted: list[str]
    seeded: list[str]

    @property
    def outside(self) -> list[RecordedResponse]:
        """Failed requests outside of all faults."""
        visible = [fault for fault in self.faults if not fault.must_not_show]
        return [
            response
            for response in self.ledger.responses
            if response.problem
            and not any(
                fault.covers(response.at, response.at + response.seconds) for fault in visible
            )
        ]

    @property
    def passed(self) -> bool:
        return not (self.outside or self.contradictions or self.ledger.violations or self.unnoticed)

    @property
    def unnoticed(self) -> list[str]:
        """Planted errors that the checker did not find."""
        return [
            f"planted, but not found: {planted}"
            for planted in self.planted
            if not any(finding.startswith(planted) for finding in self.seeded)
        ]


_INTRODUCTION = """\
# Faults under load

Written by `make chaos`; [operations.md](operations.md) describes it.

{seconds:.0f} s with {people} concurrent users on two instances of two processes each, {day}, \
Python {python}.

| error | count |
|---|---|
| wrong responses: data of another user, a signed-out token accepted, an unexpected sign-out \
| {violations} |
| acknowledged writes ({writes}), sign-outs and identities that the database contradicts \
| {contradictions} |
| failed requests outside the fault windows | {outside} |

{requests} requests, of which {failed} failed inside the windows. A window includes \
{recovery:.0f} s after its fault. Requests to the pool's own pages count too.

| second | fault | lasted | requests | failed | median | p95 |
|---|---|---|---|---|---|---|
{faults}

| action of the users | count |
|---|---|
{done}

After the run, one acknowledged write was deleted and one signed-out token revived, to test the \
checker. It found:

{seeded}
"""


def markdown(result: Result) -> str:
    """Return the report."""
    ledger = result.ledger
    done = {name.replace("_", " "): number for name, number in sorted(ledger.counts.items())}
    done["tokens used again after signing out everywhere"] = len(ledger.revoked)
    done["writes whose response was lost"] = len(ledger.uncertain_writes)
    text = _INTRODUCTION.format(
        seconds=result.seconds,
        people=result.people,
        day=time.strftime("%Y-%m-%d"),
        python=platform.python_version(),
        violations=len(ledger.violations),
        writes=len(ledger.writes),
        contradictions=len(result.contradictions),
        outside=len(result.outside),
        requests=len(ledger.responses),
        failed=sum(bool(response.problem) for response in ledger.responses),
        recovery=RECOVERY_SECONDS,
        faults="\n".join(_fault_lines(result)),
        done="\n".join(f"| {name} | {number} |" for name, number in done.items()),
        seeded="\n".join(f"- {finding}" for finding in result.seeded),
    )
    if not result.passed:
        text += "\n## Errors\n\n" + "\n".join(_errors(result)) + "\n"
    return text


def _fault_lines(result: Result) -> list[str]:
    responses, faults = result.ledger.responses, result.faults
    began = min((response.at for response in responses), default=0.0)
    lines = []
    for fault in faults:
        overlapping = [a for a in responses if fault.covers(a.at, a.at + a.seconds)]
        second, duration = f"{fault.began - began:.0f}", fault.ended - fault.began
        lines.append(_line(second, fault.name, duration, overlapping))
    quiet = [a for a in responses if not any(f.covers(a.at, a.at + a.seconds) for f in faults)]
    covered = sum(fault.ended - fault.began + RECOVERY_SECONDS for fault in faults)
    return [*lines, _line("", "none", max(0.0, result.seconds - covered), quiet)]


def _line(at: str, name: str, seconds: float, responses: list[RecordedResponse]) -> str:
    times = sorted(response.seconds * 1000 for response in responses) or [0.0]
    p95 = quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
    failed = sum(bool(response.problem) for response in responses)
    return (
        f"| {at} | {name} | {seconds:.0f} s | {len(responses)} | {failed} "
        f"| {median(times):.0f} ms | {p95:.0f} ms |"
    )


def _errors(result: Result) -> list[str]:
    errors = [*result.ledger.violations, *result.contradictions, *result.unnoticed]
    errors += [
        f"{time.strftime('%H:%M:%S', time.localtime(a.at))} {a.what} failed: {a.problem}"
        for a in result.outside
    ]
    return [f"- {line}" for line in errors[:100]]
