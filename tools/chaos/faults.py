"""The injected faults and the changes of the pool, their order and their duration."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tools.load.ledger import RECOVERY_SECONDS, Ledger, Outage
from tools.rehearsal.instances import Site

from . import pool_changes


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


def _half_of(ledger: Ledger) -> list[str]:
    """Return half of the users, of those who sign out and of those who do not."""
    names = list(ledger.subjects)
    return names[: len(names) // 2]


def faults(site: Site, ledger: Ledger) -> list[Fault]:
    """Return the faults in their order. Some change the pool, which must cause no failed request.

    A stop of the pool resets its issuer, so the switches there and back are both before it.
    """
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

    def stop_database(mode: str) -> Callable[[], None]:
        def stop() -> None:
            ledger.database_outages.append(Outage(time.time()))
            site.database.stop(mode)

        return stop

    def start_database() -> None:
        site.database.start()
        ledger.database_outages[-1].ended = time.time()

    def change(name: str, begin: Callable[[], object], **options: Any) -> Fault:
        return Fault(name, begin, must_not_show=True, **options)

    def rotate_secret(number: str) -> Fault:
        end = partial(pool_changes.retire_old_secret, site)
        name = f"the client secret is rotated, {number} time"
        return change(name, partial(pool.do, "rotate-secret"), end=end, seconds=5)

    return [
        Fault("a worker of app-1 is killed (-9)", _kill_worker(site, 0)),
        rotate_secret("the first"),
        change("graceful reload of app-1", first.reload),
        Fault("Redis is stopped", site.redis.end, site.redis.start, 15),
        change("the pool switches to the updated issuer", partial(pool.do, "issuer updated")),
        change("the pool rotates its keys", partial(pool.do, "rotate-keys")),
        Fault("PostgreSQL is stopped", stop_database("fast"), start_database, 10),
        Fault("the pool returns 10% errors", errors, pool.faults.clear, 40),
        rotate_secret("the second"),
        Fault("a worker of app-2 is killed (-9)", _kill_worker(site, 1)),
        change("the pool returns to the original issuer", partial(pool.do, "issuer original")),
        Fault("the pool takes 3 s to respond", slow, pool.faults.clear, 20),
        change(
            "the pool's replica in another Region responds",
            partial(pool.do, "failover on"),
            end=partial(pool.do, "failover off"),
            seconds=25,
        ),
        Fault("PostgreSQL crashes", stop_database("immediate"), start_database, 8),
        change(
            "the pool evicts the sessions of half of the users",
            partial(pool_changes.evict, site, ledger, _half_of(ledger)),
        ),
        change("graceful reload of app-2", second.reload),
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
