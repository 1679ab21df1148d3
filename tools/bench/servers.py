"""gunicorn as in production, or with one sync worker."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.rehearsal.services import Process, free_port, until

from .client import send_once
from .load import ROOT

# Each kind of server: its gunicorn configuration and what it changes in the environment.
KINDS: dict[str, tuple[str, dict[str, str]]] = {
    "site": ("deploy/gunicorn_config.py", {}),
    "floor": (
        "deploy/gunicorn_config.py",
        {"DJANGO_SETTINGS_MODULE": "tools.bench.floor.settings"},
    ),
    "pages": (
        "deploy/gunicorn_config.py",
        {"DJANGO_SETTINGS_MODULE": "tools.bench.plain.settings"},
    ),
    "peers": (
        "tools/bench/peers/gunicorn_config.py",
        {"DJANGO_SETTINGS_MODULE": "tools.bench.peers.settings"},
    ),
    "allauth": (
        "tools/bench/peers/gunicorn_config.py",
        {"DJANGO_SETTINGS_MODULE": "tools.bench.peers.allauth_settings"},
    ),
}
ONE_SYNC_WORKER = ("--worker-class", "sync", "--workers", "1", "--threads", "1")


class Server(Process):
    """A running server. `options` of gunicorn override the configuration."""

    def __init__(
        self,
        folder: Path,
        name: str,
        kind: str,
        environment: Mapping[str, str],
        options: Sequence[str] = (),
    ) -> None:
        super().__init__(folder, name)
        self.port = free_port()
        config, changes = KINDS[kind]
        command = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / config), *options]
        self.run(command, {**environment, **changes, "BIND": f"127.0.0.1:{self.port}"}, ROOT)
        try:
            until(self._answers, name)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; its log ends:\n{self.log.read_text()[-3000:]}") from error

    def _answers(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise TimeoutError(f"{self.name} ended")
        try:
            return send_once(self.port, "/", {"Host": "localhost"}).status in (200, 404)
        except OSError:
            return False

    def workers(self) -> list[int]:
        """Return the process IDs of the workers (Linux)."""
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii")
        return [int(pid) for pid in listed.split()]

    def cpu_seconds(self) -> float:
        """Return the CPU time of the workers so far (proc(5), utime and stime)."""
        ticks = 0
        for pid in self.workers():
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
            ticks += sum(map(int, stat.rpartition(")")[2].split()[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")
