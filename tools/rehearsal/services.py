"""PostgreSQL, PgBouncer, Redis and nginx as temporary processes on free ports."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

MAX_START_SECONDS = 60.0
# The required programs, and Debian's packages of them.
PROGRAMS = {
    "initdb": "postgresql",
    "redis-server": "redis-server",
    "nginx": "nginx",
    "pgbouncer": "pgbouncer",
    "wrk": "wrk",
}


class MissingProgram(Exception):
    """A program that the rehearsal needs is not installed; the message names it."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def program(name: str) -> str:
    """Return the path of a program. Raises MissingProgram."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    places = [os.environ.get("PATH", ""), "/usr/sbin", *map(str, versions)]
    path = shutil.which(name, path=os.pathsep.join(places))
    if path is None:
        fix = f"On Debian or Ubuntu: apt-get install {PROGRAMS.get(name, name)}"
        raise MissingProgram(f"{name} is not installed. {fix}")
    return path


def require(*names: str) -> None:
    """Exit with a message if one of these programs is missing (for scripts)."""
    try:
        for name in names:
            program(name)
    except MissingProgram as missing:
        sys.exit(str(missing))


def until(ready: Callable[[], bool], what: str, seconds: float = MAX_START_SECONDS) -> None:
    """Wait until `ready()` is true. Raises TimeoutError."""
    ends_at = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > ends_at:
            raise TimeoutError(f"{what} did not start within {seconds:.0f} s")
        time.sleep(0.05)


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Postgres:
    """A new PostgreSQL cluster in `folder`, which can be stopped and started."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._data = folder / "postgres"
        self._log = folder / "postgres.log"
        self._bin = Path(program("initdb")).parent
        self._data.mkdir()
        if os.getuid() == 0:  # initdb refuses to run as root
            folder.chmod(0o755)
            for path in (self._data, folder / "sockets"):
                path.mkdir(exist_ok=True)
                shutil.chown(path, "postgres", "postgres")
        (folder / "sockets").mkdir(exist_ok=True)
        self._log.touch()
        self._log.chmod(0o666)
        self._run("initdb", "-A", "trust", "-U", "postgres", "-D", str(self._data), "--no-sync")
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write(
                f"port = {self.port}\nlisten_addresses = '127.0.0.1'\n"
                f"unix_socket_directories = '{folder / 'sockets'}'\n"
                "max_connections = 200\nshared_buffers = 64MB\n"
            )
        self.start()

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int:
        return int((self._data / "postmaster.pid").read_text(encoding="ascii").split()[0])

    def _run(self, name: str, *arguments: str) -> None:
        command = [str(self._bin / name), *arguments]
        if os.getuid() == 0:
            drop = ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
            command = [program("setpriv"), *drop, *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")

    def start(self) -> None:
        self._run("pg_ctl", "-w", "-D", str(self._data), "-l", str(self._log), "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop the server: `fast` closes connections, `immediate` simulates a crash."""
        self._run("pg_ctl", "-w", "-D", str(self._data), "-m", mode, "stop")

    def close(self) -> None:
        if (self._data / "postmaster.pid").exists():
            self.stop("immediate")


class Process:
    """A program that runs in the foreground."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def run(
        self, command: list[str], env: dict[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=env, cwd=cwd, stdout=log, stderr=log)

    @property
    def pid(self) -> int:
        if self.process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self.process.pid

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def end(self, number: signal.Signals = signal.SIGTERM, seconds: float = 60.0) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class PgBouncer(Process):
    """PgBouncer in transaction mode, with at most `connections` connections to PostgreSQL."""

    def __init__(self, folder: Path, database_port: int, connections: int) -> None:
        super().__init__(folder, "pgbouncer")
        self.port = free_port()
        file = folder / "pgbouncer.ini"
        file.write_text(
            f"[databases]\n* = host=127.0.0.1 port={database_port} user=postgres\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\n"
            f"unix_socket_dir =\nauth_type = any\npool_mode = transaction\n"
            f"default_pool_size = {connections}\n",
            encoding="utf-8",
        )
        user = ["-u", "postgres"] if os.getuid() == 0 else []  # it refuses to run as root
        self._command = [program("pgbouncer"), *user, str(file)]
        self.start()

    def start(self) -> None:
        self.run(self._command)
        until(lambda: listens(self.port), "PgBouncer")

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"


class Redis(Process):
    """Valkey or Redis, whichever is installed, without persistence."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "redis")
        try:
            self._program = program("valkey-server")
        except MissingProgram:
            self._program = program("redis-server")
        self.port = free_port()
        self._folder = folder
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = [
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(self._folder),
        ]
        self.run([self._program, *options])
        until(lambda: listens(self.port), "Redis")


class Nginx(Process):
    """nginx with deploy/nginx.conf.template, as a proxy for local ports."""

    def __init__(self, folder: Path, backends: list[int], port: int) -> None:
        super().__init__(folder, "nginx")
        self.port = port
        self._folder = folder
        self._file = folder / "nginx.conf"
        self._program = program("nginx")
        self.write(backends)
        self.run([self._program, "-p", str(folder), "-c", str(self._file), "-g", "daemon off;"])
        until(lambda: listens(port), "nginx")

    def write(self, backends: list[int]) -> None:
        template = Path(__file__).resolve().parents[2] / "deploy/nginx.conf.template"
        servers = " ".join(f"server 127.0.0.1:{p} max_fails=3 fail_timeout=2s;" for p in backends)
        site = template.read_text(encoding="utf-8")
        for name, value in {
            "${SERVERS}": servers,
            "${LISTEN}": f"127.0.0.1:{self.port}",
            "${SERVER_NAME}": "localhost",
            "${FORWARDED_PROTO}": "$scheme",
        }.items():
            # Like envsubst, this also replaces variables in comments.
            site = site.replace(name, value)
        temp = "\n".join(
            f"{kind}_temp_path {self._folder}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;\n" if os.getuid() == 0 else ""
        self._file.write_text(
            f"{user}pid {self._folder}/nginx.pid;\nerror_log {self.log} warn;\n"
            "worker_processes 1;\nevents { worker_connections 1024; }\n"
            f"http {{\naccess_log off;\n{temp}\n{site}\n}}\n",
            encoding="utf-8",
        )

    def use(self, backends: list[int]) -> None:
        """Send new requests to these instances; requests in progress are completed."""
        self.write(backends)
        self.send(signal.SIGHUP)
        time.sleep(0.5)
