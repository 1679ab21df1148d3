"""The report of a run, as Markdown."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median, quantiles

from tools.load.ledger import RecordedResponse

from .attacks import FAMILIES
from .bounds import MEGABYTE, Bound
from .checker import MAX_HONEST_SECONDS, Phase, findings, name_of
from .machine import shares
from .run import Noticed

MAX_FINDINGS = 100


@dataclass(frozen=True)
class Result:
    """The results of the whole attack and of each weakness."""

    seconds: float
    phase: Phase
    noticed: list[Noticed]

    @property
    def wrong(self) -> list[str]:
        """Return all violations, including weaknesses that the checker did not notice."""
        unnoticed = [
            f"weakness went unnoticed: without {item.weakness.control}"
            for item in self.noticed
            if not item.finding
        ]
        return [*findings(self.phase), *unnoticed]

    @property
    def passed(self) -> bool:
        return not self.wrong


_TEXT = """\
# Attacks under load

Written by `make hostile`; [operations.md](operations.md) describes it.

{seconds:.0f} s of all attacks at once on two instances of two processes each behind nginx, with \
{people} users and a machine client, {day}, Python {python}. The run **{verdict}**.

## Honest requests

{requests} requests, of which {failed} failed. None may take longer than {limit:.0f} s, not \
counting the share of the machine's {cores} CPUs that other programs used. On average they used \
{other_share:.0%}, and this rehearsal {own:.0%}.

| request | count | median | p95 | longest | longest, without other programs |
|---|---|---|---|---|---|
{honest}

## Attacks

{sent} requests. A status in bold must not happen; "closed" is a connection that ended without a \
response, "open" a slow connection that stayed open.

| family | attack | requests | responses | slowest |
|---|---|---|---|---|
{attacks}

## Bounds

The growth during the attacks. A limit is the growth by honest users plus an allowance for \
attackers (`tools/hostile/bounds.py`).

| resource | measured | at most |
|---|---|---|
{bounds}

## Planted weaknesses

After the run, each of these controls was removed in an instance, which was attacked for some \
seconds.

| removed control | noticed by |
|---|---|
{weaknesses}
"""


def markdown(result: Result) -> str:
    """Return the report."""
    phase, responses = result.phase, result.phase.ledger.responses
    own, other_share = shares(phase.samples[0], phase.samples[-1])
    text = _TEXT.format(
        seconds=result.seconds,
        people=phase.people,
        day=time.strftime("%Y-%m-%d"),
        python=platform.python_version(),
        verdict="passed" if result.passed else "failed",
        requests=len(responses),
        failed=sum(bool(response.problem) for response in responses),
        limit=MAX_HONEST_SECONDS,
        other_share=other_share,
        cores=os.cpu_count(),
        own=own,
        honest="\n".join(_honest(phase)),
        sent=sum(log.requests for log in phase.logs),
        attacks="\n".join(_attacks(phase)),
        bounds="\n".join(map(_bound, phase.bounds)),
        weaknesses="\n".join(map(_weakness, result.noticed)),
    )
    if not result.passed:
        text += "\n## Errors\n\n"
        text += "".join(f"- {_inline(finding)}\n" for finding in result.wrong[:MAX_FINDINGS])
    return text


def _honest(phase: Phase) -> Iterator[str]:
    responses: dict[str, list[RecordedResponse]] = {}
    for response in phase.ledger.responses:
        responses.setdefault(response.what, []).append(response)
    for what, group in sorted(responses.items()):
        whole = sorted(response.seconds for response in group)
        parts = quantiles(whole, n=20) if len(whole) > 1 else whole * 19
        own = max(phase.own_seconds(response) for response in group)
        cells = (median(whole), min(parts[-1], whole[-1]), whole[-1], own)
        figures = " | ".join(f"{seconds * 1000:.0f} ms" for seconds in cells)
        yield f"| `{what}` | {len(group)} | {figures} |"


def _attacks(phase: Phase) -> Iterator[str]:
    logs = {log.name: log for log in phase.logs}
    for family, attacks in FAMILIES.items():
        for attack in attacks:
            if log := logs.get(attack.name):
                statuses = ", ".join(
                    f"{name_of(status)}: {number}"
                    if status in attack.acceptable
                    else f"**{name_of(status)}: {number}**"
                    for status, number in sorted(log.statuses.items())
                )
                slowest = f"{log.slowest * 1000:.0f} ms"
                yield f"| {family} | {attack.name} | {log.requests} | {statuses} | {slowest} |"


def _bound(bound: Bound) -> str:
    measured, limit = _amount(bound.measured, bound.unit), _amount(bound.limit, bound.unit)
    return f"| {bound.name} | {measured if bound.is_met else f'**{measured}**'} | {limit} |"


def _amount(number: float, unit: str) -> str:
    if unit == "bytes":
        return f"{number / MEGABYTE:.1f} MB"
    return f"{number:.0f} {unit}".strip()


def _weakness(noticed: Noticed) -> str:
    return f"| {noticed.weakness.control} | {_inline(noticed.finding) or '**nothing**'} |"


def _inline(text: str) -> str:
    return text[:200].replace("|", "/").replace("\n", " ")
