"""The environment of a run: a user pool, databases and servers.

It uses a temporary folder and free ports, and is removed at the end.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import requests
from cryptography.fernet import Fernet

from local_pool.testing import LocalPool
from tools.rehearsal.services import Process, free_port, listens, until

from .databases import Databases, manage
from .load import ROOT
from .measuring import MeasurementError
from .servers import Server

USER, OTHER_USER = "ada", "grace"


class Site:
    """A pool with users, the tokens of one of them, databases and servers."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sso-bench-"))
        self._parts: list[Any] = []
        self._servers = 0
        self.port = free_port()
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        self.pool = LocalPool(public_url=f"http://localhost:{self.port}")
        self._parts.append(self.pool)
        tokens = self.pool.tokens_for(USER)
        self.access_token, self.id_token = tokens["access_token"], tokens["id_token"]
        person = self.pool.get_user(USER)
        claims = json.dumps({"sub": person.sub, "email": person.attributes["email"]})
        self.userinfo_port = userinfo = self.run_stub("userinfo", self.access_token, claims)
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            **self.pool.env(),
            "ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "sso_project.settings",
            "SECRET_KEY": "of-a-measurement-that-lives-for-some-minutes-0123456789abcdef",
            "TOKEN_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "PUBLIC_URL": f"http://localhost:{self.port}",
            "STATIC_ROOT": str(self.folder / "static"),
            "BENCH_USERINFO": f"http://127.0.0.1:{userinfo}/oauth2/userInfo",
            "BENCH_BODY": str(self.folder / "body.json"),
        }
        self.databases = Databases(self.folder, self.environment)
        self._parts.append(self.databases)
        manage(self.environment, "collectstatic", "--no-input", "--verbosity", "0")

    def run_stub(self, module: str, *arguments: str) -> int:
        """Start `python -m tools.bench.MODULE PORT ARGUMENTS…`, and return its port."""
        port, stub = free_port(), Process(self.folder, module)
        self._parts.append(stub)
        stub.run([sys.executable, "-m", f"tools.bench.{module}", str(port), *arguments], cwd=ROOT)
        until(lambda: listens(port), module)
        return port

    def serve(self, kind: str, environment: Mapping[str, str], *options: str) -> Server:
        """Start a server of KINDS with this environment and additional gunicorn `options`."""
        self._servers += 1
        name = f"{kind}-{self._servers}"
        server = Server(self.folder, name, kind, environment, options)
        self._parts.append(server)
        return server

    def stop(self, *servers: Server) -> None:
        for server in servers:
            self._parts.remove(server)
            server.end()

    def bearer(self, *, id_token: bool = False) -> dict[str, str]:
        """Return the headers of an API client with the user's token."""
        token = self.id_token if id_token else self.access_token
        return {"Host": "localhost", "Authorization": f"Bearer {token}"}

    def signed_in(self, server: Server, username: str = USER) -> dict[str, str]:
        """Sign a user in at the server, and return the headers of the browser."""
        browser, base_url = requests.Session(), f"http://localhost:{server.port}"
        browser.trust_env = False
        start = browser.get(f"{base_url}/accounts/login/", allow_redirects=False, timeout=60)
        callback = self.pool.sign_in(start.headers["Location"], username, session=browser)
        callback = callback.replace(self.environment["PUBLIC_URL"], base_url)
        response = browser.get(callback, allow_redirects=False, timeout=60)
        if response.status_code != 302 or "sessionid" not in browser.cookies:
            raise MeasurementError(f"{username} could not sign in: status {response.status_code}")
        browser.get(f"{base_url}/profile/", timeout=60)  # sets the cookie of forms, too
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies)
        return {"Host": "localhost", "Cookie": cookies}

    def inside(
        self, module: str, order: Mapping[str, Any], environment: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return the result of a module's `main(order)`, run in a new process with Django."""
        done = subprocess.run(
            [sys.executable, "-m", "tools.bench.inside", module],
            input=json.dumps(order),
            capture_output=True,  # the request log is not part of the report
            env=dict(environment),
            text=True,
            check=False,
            cwd=ROOT,
        )
        if done.returncode:
            raise RuntimeError(f"{module} failed:\n{done.stderr[-3000:]}")
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def close(self) -> None:
        for part in reversed(self._parts):
            (part.end if isinstance(part, Process) else part.close)()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
