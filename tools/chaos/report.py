"""The report of a run, as Markdown."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass
from statistics import median, quantiles

from tools.load.ledger import RECOVERY_SECONDS, Kind, Ledger, RecordedResponse
from tools.load.token_user import ISSUER_NAMES, with_issuer
from tools.load.user import ENDED_SIGN_IN

from .faults import Fault
from .planted import Planted

# Without these, a run proves nothing about the changes of the pool.
REQUIRED_ACTIONS = (ENDED_SIGN_IN, *(with_issuer(name) for name in ISSUER_NAMES))


@dataclass(frozen=True)
class Result:
    """The results of a run, and of the errors that were planted after it."""

    seconds: float
    people: int
    ledger: Ledger
    faults: list[Fault]
    contradictions: list[str]
    planted: list[Planted]

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
        return not (self.outside or self.violations or self.unnoticed or self.missing)

    @property
    def violations(self) -> list[str]:
        """The errors that no fault excuses: what users saw, and what the database contradicts."""
        return [*self.ledger.violations, *self.contradictions]

    def count(self, kind: Kind) -> int:
        return sum(violation.startswith(kind) for violation in self.violations)

    @property
    def unnoticed(self) -> list[str]:
        """Planted errors that the checker did not find."""
        return [
            f"planted, but not found: {item.what} (findings: {'; '.join(item.findings[:3]) or '-'})"
            for item in self.planted
            if not item.finding
        ]

    @property
    def missing(self) -> list[str]:
        """Actions that a run requires, and that no user did."""
        return [
            f"never happened: {name}" for name in REQUIRED_ACTIONS if not self.ledger.counts[name]
        ]


_INTRODUCTION = """\
# Faults under load

Written by `make chaos`; [operations.md](operations.md) describes it.

{seconds:.0f} s with {people} concurrent users, of which half never sign out, on two instances of \
two processes each, {day}, Python {python}.

| error | count |
|---|---|
| unwanted sign-outs, of browsers and of apps ({evicted} sign-ins were evicted by the pool, which \
must end them) | {signed_out} |
| second accounts of a pool user | {accounts} |
| wrong responses: data of another user, a good token refused, a signed-out token accepted \
| {wrong} |
| acknowledged writes ({writes}), sign-outs and identities that the database contradicts \
| {others} |
| failed requests outside the fault windows | {outside} |

{requests} requests, of which {failed} failed inside the windows. A window includes \
{recovery:.0f} s after its fault. Requests to the pool's own pages count too.

| second | fault | lasted | requests | failed | median | p95 |
|---|---|---|---|---|---|---|
{faults}

| action of the users | count |
|---|---|
{done}

After the run, these errors were planted one at a time, to test the checker:

| planted | first finding |
|---|---|
{planted}
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
        evicted=len(ledger.evicted),
        signed_out=result.count(Kind.UNWANTED_SIGN_OUT),
        accounts=result.count(Kind.SECOND_ACCOUNT),
        wrong=result.count(Kind.WRONG_RESPONSE),
        others=len(result.violations) - sum(map(result.count, Kind)),
        writes=len(ledger.writes),
        outside=len(result.outside),
        requests=len(ledger.responses),
        failed=sum(bool(response.problem) for response in ledger.responses),
        recovery=RECOVERY_SECONDS,
        faults="\n".join(_fault_lines(result)),
        done="\n".join(f"| {name} | {number} |" for name, number in done.items()),
        planted="\n".join(f"| {item.what} | {item.finding} |" for item in result.planted),
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
    errors = [*result.violations, *result.unnoticed, *result.missing]
    errors += [
        f"{time.strftime('%H:%M:%S', time.localtime(a.at))} {a.what} failed: {a.problem}"
        for a in result.outside
    ]
    return [f"- {line}" for line in errors[:100]]
