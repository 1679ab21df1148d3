"""The injected faults, their order and their duration."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tools.rehearsal.instances import Site

RECOVERY_SECONDS = 6.0  # after a fault, for reconnecting and retry pauses


@dataclass
class Fault:
    """A fault between `begin` and `end`. If it `must_not_show`, it may cause no failed request."""

    name: str
    begin: Callable[[], object]
    end: Callable[[], object] = lambda: None
    seconds: float = 0.0
    must_not_show: bool = False
    began: float = field(default=0.0, init=False)
    ended: float = field(default=0.0, init=False)

    def run(self, scale: float) -> None:
        self.began = time.time()
        self.begin()
        time.sleep(self.seconds * scale)
        self.end()
        self.ended = time.time()

    def covers(self, at: float, until: float) -> bool:
        """Return True if a request between `at` and `until` overlaps with this fault."""
        return until >= self.began and at <= self.ended + RECOVERY_SECONDS


def _kill_worker(site: Site, number: int) -> Callable[[], None]:
    def kill() -> None:
        os.kill(site.instances[number].workers()[0], signal.SIGKILL)

    return kill


def faults(site: Site) -> list[Fault]:
    first, second = site.instances
    pool = site.pool

    def crash_instance() -> None:
        workers = second.workers()
        second.send(signal.SIGKILL)
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        second.end()

    def errors() -> None:
        pool.faults.add("token", "500", share=0.1)
        pool.faults.add("jwks", "500", share=0.1)
        pool.faults.add("login", "500", share=0.1)
        pool.faults.add("revoke", "500", share=0.1)

    def slow() -> None:
        for endpoint in ("token", "revoke", "jwks"):
            pool.faults.add(endpoint, "slow", seconds=3)

    return [
        Fault("a worker of app-1 is killed (-9)", _kill_worker(site, 0)),
        Fault("graceful reload of app-1", first.reload, must_not_show=True),
        Fault("Redis is stopped", site.redis.end, site.redis.start, 15),
        Fault("the pool rotates its keys", lambda: pool.pool.keys.rotate(), must_not_show=True),
        Fault("PostgreSQL is stopped", site.database.stop, site.database.start, 10),
        Fault("the pool returns 10% errors", errors, pool.faults.clear, 40),
        Fault("a worker of app-2 is killed (-9)", _kill_worker(site, 1)),
        Fault("the pool takes 3 s to respond", slow, pool.faults.clear, 20),
        Fault(
            "PostgreSQL crashes", lambda: site.database.stop("immediate"), site.database.start, 8
        ),
        Fault("graceful reload of app-2", second.reload, must_not_show=True),
        Fault("the pool is stopped", pool.stop, pool.start, 60),
        Fault("app-2 is killed with all workers (-9)", crash_instance, second.start, 10),
        Fault("Redis is killed (-9)", lambda: site.redis.end(signal.SIGKILL), site.redis.start, 10),
    ]


def run_all(planned: list[Fault], seconds: float, say: Callable[[str], None]) -> None:
    """Run the faults one after the other within `seconds`, with equal pauses before and between."""
    fault_seconds = sum(fault.seconds for fault in planned)
    scale = min(1.0, 0.45 * seconds / fault_seconds)
    quiet = (seconds - fault_seconds * scale) / (len(planned) + 1)
    for fault in planned:
        ends_at = time.time() + quiet
        say(f"quiet for {quiet:.0f} s, then: {fault.name}")
        time.sleep(max(0.0, ends_at - time.time()))
        fault.run(scale)
    time.sleep(quiet)
