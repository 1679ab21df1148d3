"""The load generator: connections that repeat a request, or that all send one at the same moment.

It is a separate process (`python -m tools.bench.load`, JSON in and out), so that it shares no
interpreter with the measured code. Each response is compared with the first one: its status and
length, or the whole body if the request is `constant`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from .client import Connection, Response

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT_BYTES = 16  # by which a page may vary


@dataclass(frozen=True)
class RequestSpec:
    """A request and its expected response.

    `length` is in bytes; None stands for the length of the first response. If `constant`, all
    bodies must be equal. Otherwise a text such as "9 minutes" may change.
    """

    port: int
    path: str
    headers: Mapping[str, str]
    status: int = 200
    length: int | None = None
    constant: bool = True


@dataclass(frozen=True)
class Load:
    """The result: times in seconds, and `problems` with their number."""

    responses: int
    seconds: float
    median: float
    p99: float
    slowest: float
    first_byte: float
    problems: dict[str, int] = field(default_factory=dict)
    beside: float = 0.0  # the slowest response to the other request in the meantime

    @property
    def rate(self) -> float:
        return self.responses / self.seconds


class Judge:
    """A check that compares each response with the first one."""

    def __init__(self, spec: RequestSpec) -> None:
        self._spec = spec
        self._first: Response | None = None
        self.problems: Counter[str] = Counter()

    def check(self, response: Response) -> None:
        first = self._first = self._first or response
        expected = len(first.body) if self._spec.length is None else self._spec.length
        if response.status != self._spec.status:
            self.problems[f"status {response.status} instead of {self._spec.status}"] += 1
        elif abs(len(response.body) - expected) > (0 if self._spec.constant else TEXT_BYTES):
            self.problems[f"{len(response.body)} bytes instead of {expected}"] += 1
        elif self._spec.constant and response.body != first.body:
            self.problems["another body of the same length"] += 1


class Visitor(threading.Thread):
    """A client that waits until all are `ready`, then repeats its request while `more(start)`."""

    def __init__(
        self,
        spec: RequestSpec,
        judge: Judge,
        ready: threading.Barrier,
        more: Callable[[float], bool],
    ) -> None:
        super().__init__()
        self._spec, self._judge, self._ready, self._more = spec, judge, ready, more
        self.responses: list[Response] = []

    def run(self) -> None:
        connection = Connection(self._spec.port, self._spec.path, self._spec.headers)
        try:
            connection.open()
            self._ready.wait()
            since = time.perf_counter()
            while not self.responses or self._more(since):
                response = connection.send()
                self._judge.check(response)
                self.responses.append(
                    replace(response, body=b"")
                )  # the bodies would fill the memory
        except (OSError, ValueError, threading.BrokenBarrierError) as error:
            self._judge.problems[f"{type(error).__name__}: {error}"] += 1
            self._ready.abort()
        finally:
            connection.close()


def send_repeatedly(spec: RequestSpec, connections: int, seconds: float) -> Load:
    """Repeat the request on each connection for `seconds`, at least once."""
    return _together(spec, connections, lambda since: time.perf_counter() - since < seconds)


def all_at_once(spec: RequestSpec, connections: int, beside: RequestSpec | None = None) -> Load:
    """Send one request on each connection at the same moment.

    In the meantime, another connection repeats the request `beside`.
    """
    return _together(spec, connections, lambda since: False, beside)


def _together(
    spec: RequestSpec,
    connections: int,
    more: Callable[[float], bool],
    beside: RequestSpec | None = None,
) -> Load:
    judge, other_judge = Judge(spec), Judge(beside or spec)
    ready, done = threading.Barrier(connections + bool(beside)), threading.Event()
    visitors = [Visitor(spec, judge, ready, more) for _ in range(connections)]
    other_visitors = []
    if beside:
        other_visitors = [Visitor(beside, other_judge, ready, lambda since: not done.wait(0.005))]
    started = time.perf_counter()
    for visitor in visitors + other_visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    seconds = time.perf_counter() - started
    done.set()
    for visitor in other_visitors:
        visitor.join()
    judge.problems += Counter({f"other request: {k}": n for k, n in other_judge.problems.items()})
    return _summarize(
        [response for visitor in visitors for response in visitor.responses],
        seconds,
        dict(judge.problems),
        [response for visitor in other_visitors for response in visitor.responses],
    )


def _summarize(
    responses: list[Response],
    seconds: float,
    problems: dict[str, int],
    other_answers: list[Response],
) -> Load:
    times = [response.whole for response in responses] or [0.0]
    return Load(
        responses=len(responses),
        seconds=seconds,
        median=median(times),
        p99=quantiles(times, n=100)[98] if len(times) > 1 else times[0],
        slowest=max(times),
        first_byte=median([response.first_byte for response in responses] or [0.0]),
        problems=problems,
        beside=max((response.whole for response in other_answers), default=0.0),
    )


def in_another_process(
    how: str, spec: RequestSpec, *, beside: RequestSpec | None = None, **more: Any
) -> Load:
    """Run `send_repeatedly` or `all_at_once` (`how` is its name) in a new process."""
    order = {"how": how, "asked": asdict(spec), "beside": beside and asdict(beside), **more}
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        input=json.dumps(order),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return Load(**json.loads(done.stdout))


def main() -> None:
    order = json.load(sys.stdin)
    spec = RequestSpec(**order.pop("asked"))
    beside = order.pop("beside")
    if order.pop("how") == "all_at_once":
        load = all_at_once(spec, beside=beside and RequestSpec(**beside), **order)
    else:
        load = send_repeatedly(spec, **order)
    json.dump(asdict(load), sys.stdout)


if __name__ == "__main__":
    main()
