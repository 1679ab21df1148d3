"""The process of the attacks, so that they do not slow down the honest users."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import get_context

from .attack import Attack, Attacker
from .attacks import ATTACKS
from .target import Target

MAX_REQUESTS = 20_000  # per attack


@dataclass
class AttackLog:
    """The record of one attack.

    `slowest` is in seconds. `examples` holds the beginning of the first response of each status.
    """

    name: str
    addresses: int
    began_at: float  # Unix time
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    examples: dict[int, str] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        return self.statuses.total()


def run_attack(attack: Attack, target: Target, number: int, seconds: float) -> AttackLog:
    """Send the requests of `attack` at its rate for `seconds`."""
    log = AttackLog(attack.name, attack.addresses, time.time())
    began = time.monotonic()
    attacker = Attacker(target, number, attack.addresses)
    offset = attacker.random.random()  # of an interval: attacks do not start together
    responses = attack.send(attacker)
    with closing(responses):  # type: ignore[type-var]
        for sent in range(MAX_REQUESTS):
            due = began + (sent + offset) / attack.per_second
            if max(due, time.monotonic()) >= began + seconds:
                break
            time.sleep(max(0.0, due - time.monotonic()))
            started = time.monotonic()
            response = next(responses, None)
            if response is None:
                break
            log.statuses[response.status] += 1
            log.slowest = max(log.slowest, time.monotonic() - started)
            log.examples.setdefault(response.status, response.head[:200])
    log.seconds = time.monotonic() - began
    return log


def run_attacks(
    names: Sequence[str], target: Target, seconds: float, faster: float = 1.0
) -> list[AttackLog]:
    """Run the named attacks at the same time, each in a thread, and raise their exceptions."""
    chosen = [
        (number, replace(attack, per_second=attack.per_second * faster))
        for number, attack in enumerate(ATTACKS)
        if attack.name in names
    ]
    with ThreadPoolExecutor(len(chosen)) as threads:
        running = [
            threads.submit(run_attack, attack, target, number, seconds) for number, attack in chosen
        ]
        return [attack.result() for attack in running]


@contextmanager
def attacking(
    names: Sequence[str], target: Target, seconds: float, faster: float = 1.0
) -> Iterator[Future[list[AttackLog]]]:
    """Run the named attacks in another process, which ends with the block."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        yield process.submit(run_attacks, names, target, seconds, faster)
