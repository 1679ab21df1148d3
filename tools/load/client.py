"""A thread that acts as one client of the site and records each response in the ledger."""

from __future__ import annotations

import json
import random
import threading
import time
from base64 import urlsafe_b64decode
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from local_pool.testing import LocalPool

from .ledger import Kind, Ledger, RecordedResponse


class Failed(Exception):
    """A 5xx, no response, or a refusal of something allowed. The ledger already holds it."""


def claims_of(unverified_token: str) -> dict[str, Any]:
    payload = unverified_token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


class _FromAddress(HTTPAdapter):
    """Connections from one loopback address, so that clients have different IP addresses."""

    def __init__(self, ip_address: str) -> None:
        self._ip_address = ip_address
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, source_address=(self._ip_address, 0))


class LoadClient(threading.Thread):
    """A client that performs random `actions`, by their weights, until `stop` is set.

    `ip_address` is the source address of its connections, "" for the default one.
    """

    actions: tuple[tuple[str, int], ...]  # names of methods, and their weights

    def __init__(
        self, name: str, site: str, pool: LocalPool, ledger: Ledger, ip_address: str = ""
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.site, self.pool, self.ledger = site, pool, ledger
        self.stop = threading.Event()
        self._ip_address = ip_address
        self.browser = self.new_session()

    def new_session(self) -> requests.Session:
        session = requests.Session()
        if self._ip_address:
            session.mount("http://", _FromAddress(self._ip_address))
        return session

    def run(self) -> None:
        names, weights = zip(*self.actions, strict=True)
        while not self.stop.is_set():
            name = random.choices(names, weights)[0]  # noqa: S311 (not a secret)
            try:
                self.prepare()
                getattr(self, name)()
                self.ledger.count(name)
            except Failed:
                time.sleep(0.5)
            except Exception as error:
                what = f"{self.name}: the load client itself failed: {error!r}"
                self.ledger.violation(Kind.WRONG_RESPONSE, what)
            self.stop.wait(random.uniform(0.05, 0.4))  # noqa: S311

    def prepare(self) -> None:
        """Prepare an action. Raises Failed."""

    def ask(
        self,
        method: str,
        path: str,
        *,
        browser: bool = True,
        expected: int | None = None,
        **options: Any,
    ) -> Any:
        """Send one request. Raises Failed, also for another status than `expected`."""
        session = self.browser if browser else self.new_session()
        started = time.time()
        problem = ""
        response = None
        try:
            url = path if "://" in path else self.site + path
            response = session.request(method, url, allow_redirects=False, timeout=40, **options)
            if response.status_code >= 500 or response.status_code != (
                expected or response.status_code
            ):
                problem = str(response.status_code)
        except requests.RequestException as error:
            problem = type(error).__name__
        finally:
            if not browser:
                session.close()
        what = f"{method} {path.partition('?')[0].removeprefix(self.site)}"
        self.ledger.responses.append(
            RecordedResponse(started, time.time() - started, what, problem)
        )
        if problem:
            raise Failed(problem)
        return response


def stop(clients: list[LoadClient]) -> None:
    """Stop the threads after their current action. Raises RuntimeError if one does not stop."""
    for client in clients:
        client.stop.set()
    for client in clients:
        client.join(60)
        if client.is_alive():
            raise RuntimeError(f"{client.name} did not finish")
