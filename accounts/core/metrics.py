"""Counters and timings, sent to the sinks that a site installs at start-up.

Names and labels are stable. A label is one of a few fixed words or a code of the error tree, and
never a text that a client sent.

    sign_ins_started   sign_ins_returned   sign_ins(result)   verifications(outcome)
    refreshes(outcome)   revocations(kind)   jwks_fetches(outcome)   cache_failures
    database_failures
    token_endpoint(call, outcome), in seconds
"""

from __future__ import annotations

from typing import Protocol


class Sink(Protocol):
    """A receiver of metrics. It must be fast and must not raise, because each request calls it."""

    def count(self, name: str, labels: dict[str, str]) -> None:
        """Increment the counter `name` by one."""

    def observe(self, name: str, seconds: float, labels: dict[str, str]) -> None:
        """Record a duration for `name`."""


_sinks: list[Sink] = []


def install(sink: Sink) -> None:
    """Send all further metrics to `sink` too."""
    if sink not in _sinks:
        _sinks.append(sink)


def count(name: str, **labels: str) -> None:
    """Increment the counter `name` in every sink."""
    for sink in _sinks:
        sink.count(name, labels)


def observe(name: str, seconds: float, **labels: str) -> None:
    """Record a duration for `name` in every sink."""
    for sink in _sinks:
        sink.observe(name, seconds, labels)
