"""Long lists: total time compared with a peer, time to the first byte, and memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..bench_site import Site
from ..client import send_once
from ..databases import postgresql
from ..goals import result
from ..lists import require_same
from ..measuring import MeasurementError, Series, Spread, in_turn, ratio
from ..options import Options
from ..outcome import Figure, Outcome
from ..servers import ONE_SYNC_WORKER, Server
from .macro import OUR_PATH, OURS, PATHS, PEER, headers_for

FEW, MANY = 10_000, 100_000
MEBIBYTE = 1024 * 1024
# One month of the list. The peer has no filter, so it gets a request that ends early.
SMALL = {OURS: "/api/stats?from=201001&to=201001", PEER: "/plain/nothing"}


def run(site: Site, options: Options) -> Outcome:
    outcome = _on(site, options, "SQLite", None)
    if url := postgresql():
        outcome.take(_on(site, options, "PostgreSQL", url))
    else:
        outcome.problems.append("PostgreSQL is not available: set DATABASE_URL")
    return outcome


class List:
    """Repeated requests for the whole list of one server.

    The memory growth of its worker counts from after a small request, which loads all code, to the
    peak of all following requests.
    """

    def __init__(self, server: Server, path: str, headers: dict[str, str], small: str) -> None:
        self._server, self._path, self._headers, self._small = server, path, headers, small
        send_once(server.port, small, headers)
        self._memory = Memory(server.workers()[0])
        self.first = send_once(server.port, path, headers)
        self.first_bytes = Series("first byte")
        self.small = Series("a short list")

    def __call__(self) -> float:
        """Return the seconds for the whole list."""
        short = send_once(self._server.port, self._small, self._headers)
        response = send_once(self._server.port, self._path, self._headers)
        if (response.status, response.body) != (200, self.first.body):
            raise MeasurementError(
                f"another response: {response.status} with {len(response.body)} bytes"
            )
        self.small.values.append(short.first_byte)
        self.first_bytes.values.append(response.first_byte)
        return response.whole

    def grown(self) -> float:
        """Return the growth in bytes."""
        return self._memory.grown()


class Memory:
    """The peak memory growth of a process. Raises MeasurementError if not on Linux."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        try:
            Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")  # reset the peak
            self._before = self._kibibytes("VmRSS")
        except OSError as error:
            raise MeasurementError(f"memory can only be measured on Linux: {error}") from error

    def grown(self) -> float:
        """Return the growth in bytes."""
        return max(0, self._kibibytes("VmHWM") - self._before) * 1024.0

    def _kibibytes(self, name: str) -> int:
        lines = self._status.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name))


def _on(site: Site, options: Options, database: str, url: str | None) -> Outcome:
    servers: list[Server] = []
    lists: dict[str, List] = {}
    try:
        for row_count in (FEW, MANY):
            environment = site.databases.make(row_count, url)
            for name, kind in ((OURS, "site"), (PEER, "peers")):
                server = site.serve(kind, environment, *ONE_SYNC_WORKER, "--timeout", "300")
                servers.append(server)
                lists[subject_name(name, row_count)] = List(
                    server, PATHS.get(name, OUR_PATH), headers_for(site, name), SMALL[name]
                )
            require_same(
                PEER, *(lists[subject_name(name, row_count)].first for name in (OURS, PEER))
            )
        return _outcome(database, lists, in_turn(lists, options.tries, warm_up=False))
    finally:
        site.stop(*servers)


def subject_name(name: str, row_count: int) -> str:
    return f"{name}, {row_count:,} rows"


def _outcome(database: str, lists: dict[str, List], series: dict[str, Series]) -> Outcome:
    many, few, peer = (
        subject_name(OURS, MANY),
        subject_name(OURS, FEW),
        subject_name(PEER, MANY),
    )
    growths = {name: subject.grown() / MEBIBYTE for name, subject in lists.items()}

    def growth(of: str) -> float:
        """Return the memory growth. Raises MeasurementError if a response was wrong."""
        series[of].spread()
        return growths[of]

    def first_byte() -> Spread:
        series[many].spread()
        return ratio(lists[many].first_bytes, lists[many].small)

    finds: dict[str, Callable[[], Spread | float]] = {
        "time": lambda: ratio(series[peer], series[many]),
        "memory": lambda: growth(many),
        "flat": lambda: max(0.0, growth(many) - growth(few)),
        "first byte": first_byte,
    }
    outcome = Outcome(dict(result(f"{name}, {database}", find) for name, find in finds.items()))
    for name, subject in series.items():
        try:
            more = {
                "first byte, ms": lists[name].first_bytes.spread().middle * 1000,
                "memory, MiB": growths[name],
            }
            table = f"The whole list, {database}"
            outcome.figures.append(Figure(table, name, subject.spread(), "s", {**more}))
        except MeasurementError as problem:
            outcome.problems.append(str(problem))
    return outcome
