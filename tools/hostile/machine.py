"""The share of this machine that other programs use.

Limits in seconds are for an otherwise idle machine. If other programs use a share of the CPUs, the
limits are extended by that share.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from pathlib import Path

from .watch import Watch

MIN_AVAILABLE = 0.5  # a limit is at most doubled


@dataclass(frozen=True)
class Sample:
    """CPU time so far, in clock ticks: total, used, and used by our processes."""

    at: float  # Unix time
    total: int
    used: int
    own_ticks: int


class MachineWatch(Watch):
    """A watch of the CPUs. `roots` are our processes, which include their children."""

    def __init__(self, roots: list[int]) -> None:
        super().__init__(seconds=0.5)
        self._roots = roots
        self.samples: list[Sample] = []

    def sample(self) -> None:
        self.samples.append(take_sample(self._roots))


def take_sample(roots: list[int]) -> Sample:
    fields = [int(ticks) for ticks in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    total, idle = sum(fields), fields[3] + fields[4]
    return Sample(time.time(), total, total - idle, _ticks_of_tree(roots))


def _ticks_of_tree(roots: list[int]) -> int:
    """Return the CPU time of these processes and their descendants, including ended ones."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for folder in os.scandir("/proc"):
        if not folder.name.isdigit():
            continue
        try:
            stat = Path(folder.path, "stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        fields = stat.rpartition(")")[2].split()
        parents[int(folder.name)] = int(fields[1])
        ticks[int(folder.name)] = sum(int(number) for number in fields[11:15])
    tree = set(roots)
    is_growing = True
    while is_growing:
        children = {pid for pid, parent in parents.items() if parent in tree} - tree
        tree |= children
        is_growing = bool(children)
    return sum(ticks.get(pid, 0) for pid in tree)


def shares(before: Sample, after: Sample) -> tuple[float, float]:
    """Return the shares of the machine that this rehearsal and other programs used."""
    total = after.total - before.total
    if total <= 0:
        return 0.0, 0.0
    own = after.own_ticks - before.own_ticks
    return own / total, max(0.0, (after.used - before.used - own) / total)


def available(samples: list[Sample], at: float, until: float) -> float:
    """Return the share of the machine that other programs did not use, between `at` and `until`."""
    times = [sample.at for sample in samples]
    before = samples[max(0, bisect_right(times, at) - 1)]
    after = samples[min(len(samples) - 1, bisect_left(times, until))]
    _, other_share = shares(before, after)
    return max(MIN_AVAILABLE, 1 - other_share)
