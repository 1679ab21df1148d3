"""A pool for tests: in this process, on a free port, ready in milliseconds.

    with LocalPool(people=[Seed("mary", groups=("editors",))]) as pool:
        callback = pool.sign_in(authorize_url, "mary")
        tokens = pool.tokens_for("mary", scopes=["openid"])
        pool.faults.add("token", "503", times=2)
        assert pool.counts()["token:refresh_token"] == 1

Several run side by side. State lives in a temporary folder; signing keys are shared by the pools of
a process unless ``fresh_keys=True``, since making them would take most of a second.
"""

import html
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import requests

from . import grants, people
from .config import PoolConfig, load_config
from .declarations import Client, Seed
from .errors import ConfigError
from .faults import Faults
from .journal import Journal
from .keys import cached_key
from .pool import Clock, Pool
from .records import Mail, Person
from .server import Server, listen
from .store import Store

__all__ = ["Client", "Clock", "Faults", "LocalPool", "Seed"]


class LocalPool:
    """A running pool. ``settings`` are those of pool.toml, by the same names.

    ``people`` and ``clients`` replace pool.toml's people and add to its clients. ``public_url`` is
    the application's own address, whose /signin and /signout are registered.
    """

    def __init__(
        self,
        *,
        people: Sequence[Seed] | None = None,
        clients: Sequence[Client] = (),
        public_url: str = "http://localhost:8000",
        clock: Clock | None = None,
        fresh_keys: bool = False,
        port: int = 0,
        **settings: Any,
    ) -> None:
        self._listener = listen("127.0.0.1", port)
        settings["port"] = self._listener.getsockname()[1]
        declared = {"people": people, "clients": clients or None}
        settings |= {name: given for name, given in declared.items() if given is not None}
        try:
            self.config: PoolConfig = load_config({"PUBLIC_URL": public_url}, settings)
        except ConfigError:
            self._listener.close()
            raise
        self.clock = clock or Clock()
        self.faults = Faults()
        self.journal = Journal()
        self._generate = None if fresh_keys else cached_key
        self._folder = tempfile.TemporaryDirectory(prefix="local_pool-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self._server: Server | None = None
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def start(self) -> None:
        """Serve again after ``stop``: on the same port, from what is on disk."""
        if self._server is not None:
            return
        if self._listener.fileno() == -1:
            self._listener = listen("127.0.0.1", self.config.port)
        self.pool = Pool(
            self.config,
            Store(self.folder),
            clock=self.clock,
            faults=self.faults,
            journal=self.journal,
            generate_key=self._generate,
        )
        people.seed(self.pool)
        self._server = Server(self.pool, self._listener)

    def stop(self) -> None:
        """An outage: connections are refused until ``start``."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        self.stop()
        self._folder.cleanup()

    @property
    def url(self) -> str:
        """The hosted UI's address, http://localhost:PORT."""
        return self.config.domain

    @property
    def issuer(self) -> str:
        return self.config.issuer

    @property
    def pool_id(self) -> str:
        return self.config.id

    @property
    def client_id(self) -> str:
        return self.config.client_id

    @property
    def client_secret(self) -> str:
        return self.config.client_secret

    @property
    def mailbox(self) -> list[Mail]:
        """Mails sent, the latest last; ``code`` is the six digits of the mail, if it has any."""
        return list(self.pool.state.mails.values())

    def env(self) -> dict[str, str]:
        """The COGNITO_* variables with which an application uses this pool."""
        return self.config.app_environment()

    def counts(self) -> Counter[str]:
        """Requests by endpoint (``token``) and by grant (``token:refresh_token``)."""
        return self.faults.counts()

    def person(self, username: str) -> Person:
        return people.get(self.pool, username)

    def disable(self, username: str) -> None:
        people.disable(self.pool, self.person(username))

    def enable(self, username: str) -> None:
        people.enable(self.pool, self.person(username))

    def delete(self, username: str) -> None:
        people.delete(self.pool, self.person(username))

    def sign_out_everywhere(self, username: str) -> None:
        people.sign_out_everywhere(self.pool, self.person(username))

    def set_groups(self, username: str, *groups: str) -> None:
        people.update(self.pool, self.person(username), groups=groups)

    def tokens_for(
        self, username: str, scopes: Sequence[str] = (), client_id: str | None = None
    ) -> dict[str, Any]:
        """A token answer (access_token, id_token, refresh_token …) without a browser."""
        client = self.config.clients[client_id or self.client_id]
        return grants.sign_in_directly(self.pool, self.person(username), client, tuple(scopes))

    def machine_token(self, scope: str = "") -> str:
        """An access token of the machine client; without ``scope`` for all its scopes."""
        client = self.config.clients[self.config.machine_client_id]
        answer = grants.client_credentials(self.pool, client, {"scope": scope})
        return str(answer["access_token"])

    def sign_in(
        self,
        start: Any,
        username: str,
        *,
        password: str | None = None,
        session: requests.Session | None = None,
        path: str = "/accounts/login/",
    ) -> Any:
        """Sign in over HTTP through the hosted UI, as a browser would.

        ``start`` is an authorize address: returns the callback's address with code and state. Or it
        is a Django test client: starts at ``path`` and returns its response to the callback.
        Raises AssertionError with the page's message when the pool does not lead back to the app.
        """
        if not isinstance(start, str):
            opening = start.get(path).headers["Location"]
            callback = self.sign_in(opening, username, password=password)
            return start.get(callback.removeprefix("/".join(callback.split("/", 3)[:3])))
        if password is None:
            password = next((s.password for s in self.config.people if s.username == username), "")
        url, browser = start, session or requests.Session()
        answer = browser.get(url, allow_redirects=False, timeout=10)
        for _ in range(10):
            if answer.is_redirect:
                url = urljoin(url, answer.headers["Location"])
                if urlsplit(url).port != self.config.port:
                    return url
                answer = browser.get(url, allow_redirects=False, timeout=10)
            elif 'name="cognitoSignInForm"' in answer.text and 'role="alert"' not in answer.text:
                form = {"username": username, "password": password}
                form |= re.findall(r'name="(_csrf)" value="([^"]+)"', answer.text)
                answer = browser.post(url, form, allow_redirects=False, timeout=10)
            else:
                break
        alert = re.search(r'role="alert"[^>]*>(.*?)<', answer.text, re.DOTALL)
        said = html.unescape(alert[1]) if alert else answer.text[:300]
        raise AssertionError(f"The pool answered {answer.status_code} at {url}: {said}")
