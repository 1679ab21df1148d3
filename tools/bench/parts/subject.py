"""A subject under load, measured in several rounds."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from ..client import send_once
from ..load import Load, RequestSpec, in_another_process
from ..measuring import MeasurementError, Series
from ..outcome import Figure
from ..servers import Server


class Subject:
    """A subject that returns requests per second when called; `loads` are its rounds so far.

    With `server`, it also measures the server's CPU time, which depends less on other work on the
    machine than the rate.
    """

    def __init__(
        self, spec: RequestSpec, *, connections: int, seconds: float, server: Server | None = None
    ) -> None:
        self.spec = spec
        self.loads: list[Load] = []
        self._cpu: list[float] = []  # seconds per request
        self._connections, self._seconds, self._server = connections, seconds, server

    def __call__(self) -> float:
        before = self._server.cpu_seconds() if self._server else 0.0
        load = in_another_process(
            "send_repeatedly", self.spec, connections=self._connections, seconds=self._seconds
        )
        if load.problems:
            raise MeasurementError(", ".join(f"{n} x {what}" for what, n in load.problems.items()))
        self.loads.append(load)
        if self._server:
            self._cpu.append((self._server.cpu_seconds() - before) / load.responses)
        return load.rate

    def figure(self, table: str, series: Series) -> Figure:
        """Return requests per second and response times. Raises MeasurementError."""
        rates = series.spread()
        more: dict[str, float | str] = {
            "median, ms": median(load.median * 1000 for load in self.loads),
            "p99, ms": median(load.p99 * 1000 for load in self.loads),
        }
        if self._cpu:
            more["server's CPU, ms"] = 1000 * median(self._cpu)
        return Figure(table, series.name, rates, "req/s", more)


def current_spec(
    port: int,
    path: str,
    headers: Mapping[str, str],
    *,
    status: int = 200,
    constant: bool = True,
) -> RequestSpec:
    """Return a request that expects the length of its current response."""
    response = send_once(port, path, headers)
    if response.status != status:
        raise MeasurementError(f"{path} responds with {response.status}: {response.body[:300]!r}")
    return RequestSpec(port, path, headers, status, len(response.body), constant)
