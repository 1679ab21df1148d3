"""What happens here, for whoever counts it: nobody, unless a site installs a sink at start-up.

The names and labels are stable: `sso_project/metrics/` turns them into Prometheus metrics. Labels
are few words chosen here or codes of the error tree, never what a stranger sent.

    sign_ins_started   sign_ins_returned   sign_ins(result)   verifications(outcome)
    refreshes(outcome)   revocations(kind)   jwks_fetches(outcome)   cache_failures
    database_failures
    token_endpoint(call, outcome), in seconds
"""

from __future__ import annotations

from typing import Protocol


class Sink(Protocol):
    """Must not raise, and must be quick: it stands in the way of every request."""

    def count(self, name: str, labels: dict[str, str]) -> None:
        """One more of these."""

    def observe(self, name: str, seconds: float, labels: dict[str, str]) -> None:
        """It took so long."""


_sinks: list[Sink] = []


def install(sink: Sink) -> None:
    """From now on tell `sink` as well."""
    if sink not in _sinks:
        _sinks.append(sink)


def count(name: str, **labels: str) -> None:
    for sink in _sinks:
        sink.count(name, labels)


def observe(name: str, seconds: float, **labels: str) -> None:
    for sink in _sinks:
        sink.observe(name, seconds, labels)
