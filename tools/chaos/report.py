"""The run in words and figures, as Markdown."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass
from statistics import median, quantiles

from tools.load.ledger import Answer, Ledger

from .faults import RECOVERY, Fault


@dataclass(frozen=True)
class Result:
    """What a run came to.

    `planted` is how the findings of the faults that were planted afterwards have to begin,
    `seeded` what the checker found then.
    """

    seconds: float
    people: int
    ledger: Ledger
    faults: list[Fault]
    contradictions: list[str]
    planted: list[str]
    seeded: list[str]

    @property
    def outside(self) -> list[Answer]:
        """Failed requests that no fault explains."""
        showing = [fault for fault in self.faults if not fault.must_not_show]
        return [
            answer
            for answer in self.ledger.answers
            if answer.problem
            and not any(fault.covers(answer.at, answer.at + answer.seconds) for fault in showing)
        ]

    @property
    def passed(self) -> bool:
        return not (self.outside or self.contradictions or self.ledger.violations or self.unnoticed)

    @property
    def unnoticed(self) -> list[str]:
        """Planted faults that the checker did not find: it may have missed others."""
        return [
            f"planted, and not found: {planted}"
            for planted in self.planted
            if not any(finding.startswith(planted) for finding in self.seeded)
        ]


_INTRODUCTION = """\
# Faults under load

Written by `make chaos`; [operations.md](operations.md) says how it is arranged.

{seconds:.0f} s with {people} people at once on two instances of two processes each, {day}, \
Python {python}.

| what must not happen | how often |
|---|---|
| wrong answers: another person's data, a signed-out token accepted, a sign-out nobody asked for \
| {violations} |
| acknowledged writes ({writes}), sign-outs and identities that the database contradicts \
| {contradictions} |
| failed requests outside the fault windows | {outside} |

{requests} requests, {failed} of them failed inside the windows ({recovery:.0f} s after a fault \
still count as its own, and visits of the \
pool's own pages count too).

| second | fault | lasted | requests | failed | median | p95 |
|---|---|---|---|---|---|---|
{faults}

| what people did | times |
|---|---|
{done}

Planted afterwards, to see that the checker notices: one acknowledged write deleted, one \
signed-out token revived. It found:

{seeded}
"""


def markdown(result: Result) -> str:
    """The whole report."""
    ledger = result.ledger
    done = {name.replace("_", " "): number for name, number in sorted(ledger.counts.items())}
    done["tokens tried again after signing out everywhere"] = len(ledger.revoked)
    done["writes whose answer was lost"] = len(ledger.uncertain_writes)
    text = _INTRODUCTION.format(
        seconds=result.seconds,
        people=result.people,
        day=time.strftime("%Y-%m-%d"),
        python=platform.python_version(),
        violations=len(ledger.violations),
        writes=len(ledger.writes),
        contradictions=len(result.contradictions),
        outside=len(result.outside),
        requests=len(ledger.answers),
        failed=sum(bool(answer.problem) for answer in ledger.answers),
        recovery=RECOVERY,
        faults="\n".join(_fault_rows(result)),
        done="\n".join(f"| {name} | {number} |" for name, number in done.items()),
        seeded="\n".join(f"- {finding}" for finding in result.seeded),
    )
    if not result.passed:
        text += "\n## What went wrong\n\n" + "\n".join(_wrong(result)) + "\n"
    return text


def _fault_rows(result: Result) -> list[str]:
    answers, faults = result.ledger.answers, result.faults
    began = min((answer.at for answer in answers), default=0.0)
    rows = []
    for fault in faults:
        met = [a for a in answers if fault.covers(a.at, a.at + a.seconds)]
        rows.append(_row(f"{fault.began - began:.0f}", fault.name, fault.ended - fault.began, met))
    quiet = [a for a in answers if not any(f.covers(a.at, a.at + a.seconds) for f in faults)]
    covered = sum(fault.ended - fault.began + RECOVERY for fault in faults)
    return [*rows, _row("", "none", max(0.0, result.seconds - covered), quiet)]


def _row(at: str, name: str, seconds: float, answers: list[Answer]) -> str:
    times = sorted(answer.seconds * 1000 for answer in answers) or [0.0]
    p95 = quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
    failed = sum(bool(answer.problem) for answer in answers)
    return (
        f"| {at} | {name} | {seconds:.0f} s | {len(answers)} | {failed} "
        f"| {median(times):.0f} ms | {p95:.0f} ms |"
    )


def _wrong(result: Result) -> list[str]:
    found = [*result.ledger.violations, *result.contradictions, *result.unnoticed]
    found += [
        f"{time.strftime('%H:%M:%S', time.localtime(a.at))} {a.what} failed: {a.problem}"
        for a in result.outside
    ]
    return [f"- {line}" for line in found[:100]]
