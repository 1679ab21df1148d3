"""The load generator: connections that repeat a request, or that all send one at the same moment.

It is a separate process (`python -m tools.bench.load`, JSON in and out), so that it shares no
interpreter with the measured code. Each response is compared with the first one: its status and
length, and the whole body if the request is `constant`.
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

from .client import Answer, Connection

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Asked:
    """A request and its expected response.

    `length` is in bytes; None stands for the length of the first response. If `constant`, all
    bodies must be equal.
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

    answers: int
    seconds: float
    median: float
    p99: float
    slowest: float
    first_byte: float
    problems: dict[str, int] = field(default_factory=dict)
    beside: float = 0.0  # the slowest response to the other request in the meantime

    @property
    def rate(self) -> float:
        return self.answers / self.seconds


class Judge:
    """A check that compares each response with the first one."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._first: Answer | None = None
        self.problems: Counter[str] = Counter()

    def check(self, answer: Answer) -> None:
        first = self._first = self._first or answer
        expected = len(first.body) if self._asked.length is None else self._asked.length
        if answer.status != self._asked.status:
            self.problems[f"status {answer.status} instead of {self._asked.status}"] += 1
        elif len(answer.body) != expected:
            self.problems[f"{len(answer.body)} bytes instead of {expected}"] += 1
        elif self._asked.constant and answer.body != first.body:
            self.problems["another body of the same length"] += 1


class Visitor(threading.Thread):
    """A client that waits until all are `ready`, then repeats its request while `more(start)`."""

    def __init__(
        self, asked: Asked, judge: Judge, ready: threading.Barrier, more: Callable[[float], bool]
    ) -> None:
        super().__init__()
        self._asked, self._judge, self._ready, self._more = asked, judge, ready, more
        self.answers: list[Answer] = []

    def run(self) -> None:
        connection = Connection(self._asked.port, self._asked.path, self._asked.headers)
        try:
            connection.open()
            self._ready.wait()
            since = time.perf_counter()
            while not self.answers or self._more(since):
                answer = connection.ask()
                self._judge.check(answer)
                self.answers.append(replace(answer, body=b""))  # the bodies would fill the memory
        except (OSError, ValueError, threading.BrokenBarrierError) as error:
            self._judge.problems[f"{type(error).__name__}: {error}"] += 1
            self._ready.abort()
        finally:
            connection.close()


def keep_asking(asked: Asked, connections: int, seconds: float) -> Load:
    """Repeat the request on each connection for `seconds`, at least once."""
    return _together(asked, connections, lambda since: time.perf_counter() - since < seconds)


def all_at_once(asked: Asked, connections: int, beside: Asked | None = None) -> Load:
    """Send one request on each connection at the same moment.

    In the meantime, another connection repeats the request `beside`.
    """
    return _together(asked, connections, lambda since: False, beside)


def _together(
    asked: Asked, connections: int, more: Callable[[float], bool], beside: Asked | None = None
) -> Load:
    judge, other_judge = Judge(asked), Judge(beside or asked)
    ready, done = threading.Barrier(connections + bool(beside)), threading.Event()
    visitors = [Visitor(asked, judge, ready, more) for _ in range(connections)]
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
        [answer for visitor in visitors for answer in visitor.answers],
        seconds,
        dict(judge.problems),
        [answer for visitor in other_visitors for answer in visitor.answers],
    )


def _summarize(
    answers: list[Answer], seconds: float, problems: dict[str, int], other_answers: list[Answer]
) -> Load:
    times = [answer.whole for answer in answers] or [0.0]
    return Load(
        answers=len(answers),
        seconds=seconds,
        median=median(times),
        p99=quantiles(times, n=100)[98] if len(times) > 1 else times[0],
        slowest=max(times),
        first_byte=median([answer.first_byte for answer in answers] or [0.0]),
        problems=problems,
        beside=max((answer.whole for answer in other_answers), default=0.0),
    )


def in_another_process(how: str, asked: Asked, *, beside: Asked | None = None, **more: Any) -> Load:
    """Run `keep_asking` or `all_at_once` (`how` is its name) in a new process."""
    order = {"how": how, "asked": asdict(asked), "beside": beside and asdict(beside), **more}
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
    asked = Asked(**order.pop("asked"))
    beside = order.pop("beside")
    if order.pop("how") == "all_at_once":
        load = all_at_once(asked, beside=beside and Asked(**beside), **order)
    else:
        load = keep_asking(asked, **order)
    json.dump(asdict(load), sys.stdout)


if __name__ == "__main__":
    main()
