"""A pool for tests, in this process and on a free port.

    with LocalPool(people=[Seed("mary", groups=("editors",))]) as pool:
        callback = pool.sign_in(authorize_url, "mary")
        tokens = pool.tokens_for("mary", scopes=["openid"])
        pool.faults.add("token", "503", times=2)
        assert pool.counts()["token:refresh_token"] == 1

Several pools can run at the same time. State is stored in a temporary folder. The pools of a
process share their signing keys unless ``fresh_keys=True``, because creating keys is slow.
"""

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import requests

from . import (
    api_secrets,
    client_secrets,
    commands,
    form_filling,
    grants,
    levels,
    seeding,
    sessions,
    tls,
    totp,
    users,
)
from .config import load_config
from .declarations import Client, OidcProvider, Seed
from .errors import ConfigError
from .faults import Faults
from .journal import Journal
from .keys import cached_key
from .pool import Clock, Pool
from .pool_config import PoolConfig
from .records import Mail, PoolUser, TrackedSession
from .server import Server, listen
from .store import Store

__all__ = ["Client", "Clock", "Faults", "LocalPool", "OidcProvider", "Seed"]


class LocalPool:
    """A running pool. ``settings`` have the names of pool.toml.

    ``people`` replaces the users of pool.toml, ``clients`` adds to its clients. ``public_url`` is
    the application's base URL, whose /signin and /signout are registered.
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
        settings |= {name: value for name, value in declared.items() if value is not None}
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
        """Start again after ``stop``, on the same port and with the stored state."""
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
        seeding.seed(self.pool)
        context = tls.server_context(Store(self.folder)) if self.config.tls else None
        self._server = Server(self.pool, self._listener, tls=context)

    def stop(self) -> None:
        """Simulate an outage: refuse connections until ``start``."""
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
        """The base URL of the hosted UI, http://localhost:PORT."""
        return self.config.domain

    @property
    def certificate(self) -> Path:
        """With tls=True, the file that clients have to trust."""
        return self.folder / tls.CERTIFICATE

    @property
    def issuer(self) -> str:
        return self.config.issuer

    @property
    def issuers(self) -> tuple[str, ...]:
        """Every issuer that this pool can have, the original first."""
        return self.config.issuers

    @property
    def pool_id(self) -> str:
        return self.config.id

    @property
    def client_id(self) -> str:
        return self.config.client_id

    @property
    def client_secret(self) -> str:
        """The newest secret of the web client."""
        client = self.pool.clients[self.client_id]
        return client_secrets.current_value(self.pool, client) or ""

    @property
    def client_secret_arn(self) -> str:
        """The ARN of the web client's secret, or "" before the first ``rotate-secret``."""
        client = self.pool.clients[self.client_id]
        return str(api_secrets.describe(self.pool, client).get("ClientSecretArn", ""))

    @property
    def mailbox(self) -> list[Mail]:
        """The emails, the latest last; ``code`` is the code or temporary password, or ""."""
        return list(self.pool.state.mails.values())

    def do(self, words: str) -> str:
        """Run a command of ``python -m local_pool do``, such as "issuer updated"."""
        return commands.run(self.pool, words)

    def env(self) -> dict[str, str]:
        """Return the COGNITO_* variables for an application that uses this pool."""
        return self.config.app_environment()

    def counts(self) -> Counter[str]:
        """Return the requests by endpoint (``token``) and by grant (``token:refresh_token``)."""
        return self.faults.counts()

    def get_user(self, username: str) -> PoolUser:
        return users.get(self.pool, username)

    def sessions(self, username: str) -> dict[str, TrackedSession]:
        """Return the user's active sessions by ID, if session tracking is on."""
        return sessions.active_sessions(self.pool, self.get_user(username))

    def disable(self, username: str) -> None:
        users.disable(self.pool, self.get_user(username))

    def enable(self, username: str) -> None:
        users.enable(self.pool, self.get_user(username))

    def delete(self, username: str) -> None:
        users.delete(self.pool, self.get_user(username))

    def sign_out_everywhere(self, username: str) -> None:
        users.sign_out_everywhere(self.pool, self.get_user(username))

    def set_groups(self, username: str, *groups: str) -> None:
        users.update(self.pool, self.get_user(username), groups=groups)

    def tokens_for(
        self,
        username: str,
        scopes: Sequence[str] = (),
        client_id: str | None = None,
        amr: Sequence[str] = levels.PASSWORD,
    ) -> dict[str, Any]:
        """Return tokens (access_token, id_token, refresh_token …) without a browser."""
        client, user = self.pool.clients[client_id or self.client_id], self.get_user(username)
        return grants.sign_in_directly(self.pool, user, client, tuple(scopes), tuple(amr))

    def machine_token(self, scope: str = "") -> str:
        """Return an access token of the machine client, with all its scopes by default."""
        client = self.pool.clients[self.config.machine_client_id]
        tokens = grants.client_credentials(self.pool, client, {"scope": scope})
        return str(tokens["access_token"])

    def sign_in(
        self,
        start: Any,
        username: str,
        *,
        password: str | None = None,
        session: requests.Session | None = None,
        path: str = "/accounts/login/",
    ) -> Any:
        """Sign in over HTTP through the hosted UI, as a browser does.

        If ``start`` is an authorize URL, return the callback URL with code and state. If it is a
        Django test client, start at ``path`` and return its response to the callback. Raises
        AssertionError with the page's message if the pool does not redirect to the app.
        """
        if not isinstance(start, str):
            authorize_url = start.get(path).headers["Location"]
            callback = self.sign_in(authorize_url, username, password=password)
            return start.get(callback.removeprefix("/".join(callback.split("/", 3)[:3])))
        declared = next((s.password for s in self.config.people if s.username == username), "")
        browser = session or requests.Session()
        trusted = str(self.certificate) if self.config.tls else None

        def code(hidden: dict[str, str]) -> str:
            """Return the code of the last email, or of the user's authenticator app."""
            if hidden.get("factor") not in ("SOFTWARE_TOKEN_MFA", "MFA_SETUP"):
                return self.mailbox[-1].code
            secret = hidden.get("secret") or self.get_user(username).totp
            return totp.code(secret, int(self.clock()) // totp.STEP_SECONDS)

        user = (username, password or declared, code)
        return form_filling.sign_in(start, self.config.port, browser, user, trusted)
