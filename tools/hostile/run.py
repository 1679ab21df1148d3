"""The phases of a rehearsal: the whole attack, then each weakness on a separate instance."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tools.load.client import stop
from tools.load.ledger import Ledger
from tools.rehearsal.instances import Instance, Site

from . import honest
from .attackers import attacking
from .attacks import ATTACKS
from .checker import Phase, findings
from .machine import MachineWatch
from .measure import measurements, snapshot
from .target import INSIDER, prepare
from .watch import FolderWatch, Watch
from .weaknesses import WEAKNESSES, Weakness

QUIET_SECONDS = 5.0  # honest users only, so that processes have started completely
PATIENCE_SECONDS = 60.0  # for the last requests of the attacks
PEOPLE = 6
PEOPLE_OF_WEAKNESS = 2
Say = Callable[[str], None]


@dataclass(frozen=True)
class Folders:
    """The folders in which the instances put temporary files and metrics."""

    temporary: Path
    metrics: Path


@dataclass(frozen=True)
class Arena:
    """A site, and the instances that currently serve it."""

    site: Site
    instances: list[Instance]
    folders: Folders


@dataclass(frozen=True)
class Noticed:
    """A weakness, and all findings of the checker."""

    weakness: Weakness
    findings: list[str]

    @property
    def finding(self) -> str:
        """Return the expected finding, or ""."""
        expected = self.weakness.noticed_by
        return next((item for item in self.findings if item.startswith(expected)), "")


def all_names() -> list[str]:
    """Return the usernames of all phases, which differ between phases."""
    return [f"person-{n}" for n in range(PEOPLE + PEOPLE_OF_WEAKNESS * len(WEAKNESSES))]


def run_whole(site: Site, folders: Folders, seconds: float) -> Phase:
    """Run all attacks at once, and compare the ledger of honest users with the database."""
    from tools.load.checker import check

    attacks = [attack.name for attack in ATTACKS]
    names = all_names()[:PEOPLE]
    phase = run_phase(Arena(site, site.instances, folders), attacks, names, seconds)
    contradictions = check(phase.ledger, [instance.url for instance in site.instances])
    return replace(phase, contradictions=contradictions)


def run_weaknesses(site: Site, folders: Folders, say: Say) -> list[Noticed]:
    """For each weakness, attack a weakened instance, and run the checker."""
    noticed = []
    names = all_names()[PEOPLE:]
    for number, weakness in enumerate(WEAKNESSES):
        say(f"without {weakness.control}")
        people = names[PEOPLE_OF_WEAKNESS * number :][:PEOPLE_OF_WEAKNESS]
        instance = site.start_weakened(Weakness.__module__, weakness.name)
        with site.served_by(instance):
            phase = run_phase(
                Arena(site, [instance], folders),
                weakness.attacks,
                people,
                weakness.seconds,
                weakness.faster,
            )
        noticed.append(Noticed(weakness, findings(phase)))
    return noticed


def run_phase(
    arena: Arena,
    attacks: Sequence[str],
    people: list[str],
    seconds: float,
    faster: float = 1.0,
) -> Phase:
    """Run these attacks while these users use the site, and raise exceptions of attacks."""
    site = arena.site
    ledger = Ledger(subjects={name: site.pool.get_user(name).sub for name in [*people, INSIDER]})
    target = prepare(site, arena.instances)
    before = snapshot(site, arena.instances)
    folders = [FolderWatch(arena.folders.temporary), FolderWatch(arena.folders.metrics)]
    machine = MachineWatch([os.getpid(), site.database.pid])
    watches: list[Watch] = [*folders, machine]
    for watch in watches:
        watch.start()
    clients = honest.start(site, people, ledger)
    try:
        time.sleep(QUIET_SECONDS)
        with attacking(attacks, target, seconds, faster) as logs:
            attack_logs = logs.result(seconds + PATIENCE_SECONDS)
    finally:
        stop(clients)
        for watch in watches:
            watch.finish()
    measured = measurements(
        before,
        snapshot(site, arena.instances),
        max(log.seconds for log in attack_logs),
        temporary_bytes=folders[0].peak,
        metrics_bytes=folders[1].peak,
    )
    return Phase(len(people), ledger, attack_logs, measured, machine.samples, faster=faster)
