"""Instances of the site with production settings, and the whole setup."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests
from cryptography.fernet import Fernet

from local_pool.testing import LocalPool

from .services import Nginx, Postgres, Process, Redis, free_port, until

MAX_START_SECONDS = 120.0  # imports are slow on a busy machine
ROOT = Path(__file__).resolve().parent.parent.parent


class Instance(Process):
    """A server as `make serve` starts it, or with another WSGI `application`."""

    def __init__(
        self, folder: Path, name: str, environment: dict[str, str], application: str = ""
    ) -> None:
        super().__init__(folder, name)
        self._arguments = [application] if application else []
        self.port = free_port()
        self._environment = {**environment, "BIND": f"127.0.0.1:{self.port}"}
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, wait: bool = True) -> None:
        config = str(ROOT / "deploy/gunicorn_config.py")
        command = [sys.executable, "-m", "gunicorn", "--config", config, *self._arguments]
        self.run(command, self._environment, ROOT)
        if wait:
            try:
                until(self.is_ready, self.name, MAX_START_SECONDS)
            except TimeoutError as error:
                log = self.log.read_text(encoding="utf-8", errors="replace")
                raise TimeoutError(f"{error}; its log ends:\n{log[-2000:]}") from error

    def restart(self, **changes: str) -> None:
        """Stop the server, and start it with these changes of its environment variables."""
        self.end()
        self._environment |= changes
        self.start()

    def is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def workers(self) -> list[int]:
        """Return the process IDs of the workers, the oldest first."""
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii")
        return [int(pid) for pid in listed.split()]

    def reload(self) -> None:
        """Replace all workers gracefully, and wait until the old ones have ended."""
        before = set(self.workers())
        self.send(signal.SIGHUP)
        until(lambda: not before & set(self.workers()), f"the new workers of {self.name}")


class Site:
    """Two instances, nginx, PostgreSQL, Redis and a LocalPool with `pool_settings`.

    The instances read the client secret from a file, so that it can change.
    """

    def __init__(self, *, environment: dict[str, str] | None = None, **pool_settings: Any) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rehearsal-"))
        self._parts: list[Any] = []
        try:
            self._start(environment or {}, pool_settings)
        except BaseException:
            self.close()
            raise

    def _start(self, environment: dict[str, str], pool_settings: dict[str, Any]) -> None:
        port = free_port()
        self.url = f"http://localhost:{port}"
        self.pool = self.keep(LocalPool(public_url=self.url, **pool_settings))
        self._client_secret = self.folder / "client-secret"
        self.write_client_secret()
        self.database = self.keep(Postgres(self.folder))
        self.redis = self.keep(Redis(self.folder))
        env_file = self.folder / "env"
        env_file.touch()  # a test writes it and restarts the servers
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            **self.pool.env(),
            "COGNITO_CLIENT_SECRET": str(self._client_secret),
            "ENV_FILE": str(env_file),
            "DJANGO_SETTINGS_MODULE": "sso_project.settings",
            "SECRET_KEY": "of-a-rehearsal-that-lives-for-some-minutes-0123456789abcdef",
            "TOKEN_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "PUBLIC_URL": self.url,
            "TRUSTED_PROXIES": "127.0.0.1",
            "DATABASE_URL": self.database.url,
            "REDIS_URL": self.redis.url,
            "STATIC_ROOT": str(self.folder / "static"),
            "WEB_CONCURRENCY": "2",
            "WEB_THREADS": "8",
            **environment,
        }
        self.manage("migrate", "--verbosity", "0")
        self.manage("collectstatic", "--no-input", "--verbosity", "0")
        # Both kinds of database connections: one per thread, and a pool.
        pooled = {**self.environment, "DATABASE_POOL_SIZE": "6"}
        self.instances = [
            self.keep(Instance(self.folder, "app-1", self.environment)),
            self.keep(Instance(self.folder, "app-2", pooled)),
        ]
        backends = [instance.port for instance in self.instances]
        self.proxy = self.keep(Nginx(self.folder, backends, port))
        until(self._answers, "the site")

    def keep(self, part: Any) -> Any:
        """Register a part to close with the site, and return it."""
        self._parts.append(part)
        return part

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def write_client_secret(self) -> None:
        """Write the pool's newest client secret into the file, as Kubernetes does: in one step."""
        new = self._client_secret.with_suffix(".new")
        new.write_text(self.pool.client_secret, encoding="utf-8")
        new.replace(self._client_secret)

    def start_weakened(self, module: str, name: str, **changes: str) -> Instance:
        """Start an instance without the control `name` of `module` (see weakened.py)."""
        environment = {**self.environment, **changes, "WEAKNESS": f"{module}:{name}"}
        application = "tools.rehearsal.weakened:application"
        return self.keep(Instance(self.folder, name, environment, application))  # type: ignore[no-any-return]

    @contextmanager
    def served_by(self, instance: Instance) -> Iterator[None]:
        """Make the proxy use only `instance`, and stop it afterwards."""
        self.proxy.use([instance.port])
        try:
            yield
        finally:
            self.proxy.use([other.port for other in self.instances])
            instance.end()

    def manage(self, *arguments: str) -> str:
        """Run a command of manage.py, and return its output."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(
            command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def logs(self) -> str:
        """Return the logs of all processes."""
        files = sorted(self.folder.glob("*.log"))
        return "".join(f"--- {f.name}\n{f.read_text(errors='replace')}" for f in files)

    def close(self) -> None:
        for part in reversed(self._parts):
            (part.end if isinstance(part, Process) else part.close)()
        time.sleep(0.1)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
