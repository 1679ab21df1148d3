"""Measurements of the site during attacks: disk, memory, rows, calls to the user pool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.rehearsal.instances import Instance, Site


@dataclass(frozen=True)
class Snapshot:
    """Rows by table, calls to the user pool by kind, and the memory of each worker in bytes."""

    rows: Mapping[str, int]
    calls: Mapping[str, int]
    memory: Mapping[int, int]


@dataclass(frozen=True)
class Measurements:
    """The growth in a phase of `seconds`. Bytes are peak values.

    `memory_bytes` is the growth of the worker that grew most; `lost_workers` are those that ended.
    """

    seconds: float
    workers: int
    rows: Mapping[str, int] = field(default_factory=dict)
    calls: Mapping[str, int] = field(default_factory=dict)
    temporary_bytes: int = 0
    metrics_bytes: int = 0
    memory_bytes: int = 0
    lost_workers: int = 0


def count_rows() -> dict[str, int]:
    """Return the number of rows of each table. Requires django.setup()."""
    from django.apps import apps

    return {
        model._meta.label: model._base_manager.count()
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed
    }


def snapshot(site: Site, instances: Iterable[Instance]) -> Snapshot:
    workers = [pid for instance in instances for pid in instance.workers()]
    memory = {pid: resident_bytes(pid, "VmRSS") for pid in workers}
    return Snapshot(count_rows(), site.pool.counts(), memory)


def resident_bytes(pid: int, name: str) -> int:
    """Return VmRSS (now) or VmHWM (the highest so far) of a process; 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except FileNotFoundError:
        return 0
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return int(lines.get(name, "0 kB").split()[0]) * 1024


def measurements(
    before: Snapshot,
    after: Snapshot,
    seconds: float,
    *,
    temporary_bytes: int,
    metrics_bytes: int,
) -> Measurements:
    growth = [resident_bytes(pid, "VmHWM") - size for pid, size in before.memory.items()]
    return Measurements(
        seconds=seconds,
        workers=len(before.memory),
        rows=_growth(before.rows, after.rows),
        calls=_growth(before.calls, after.calls),
        temporary_bytes=temporary_bytes,
        metrics_bytes=metrics_bytes,
        memory_bytes=max(growth, default=0),
        lost_workers=len(before.memory.keys() - after.memory.keys()),
    )


def _growth(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    grown = Counter(after)
    grown.subtract(before)
    return {name: number for name, number in grown.items() if number}
