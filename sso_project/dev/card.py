"""The summary that `manage.py dev` prints: URLs, users and an example API call."""

from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

from local_pool.pool_config import PoolConfig

from . import ports

# All requests go to loopback, so a proxy of the environment must not be used.
_opener = build_opener(ProxyHandler({}))


def get_status(url: str) -> int | None:
    """Return the HTTP status of `url` after redirects, or None if there is no response."""
    try:
        with _opener.open(url, timeout=2) as response:
            return int(response.status)
    except HTTPError as error:
        with error:
            return error.code
    except OSError:
        return None


@dataclass(frozen=True)
class Card:
    """The content of the summary. `pool` is None if a real user pool is configured.

    `replaced` are variables that have the values of the local pool instead of their own.
    """

    seconds: float
    app_url: str
    pool_id: str
    pool: PoolConfig | None
    makefile: Path
    replaced: tuple[str, ...] = ()

    def __str__(self) -> str:
        seconds = max(1, round(self.seconds))
        if self.pool is None:
            return (
                f"Ready in {seconds} s · your own user pool\n"
                f"  App      {self.app_url}\n"
                f"  Pool     {self.pool_id} (COGNITO_POOL_ID is set, so no local pool was started)"
            )
        lines = [
            f"Ready in {seconds} s · local pool, nothing leaves this machine",
            f"  App      {self.app_url}",
        ]
        if get_status(f"{self.pool.domain}/_local/") == 200:
            lines.append(f"  Pool     {self.pool.domain}/_local/")
        lines.append(f"  Sign in  {self._users(self.pool)}")
        if self._has_token_command() and get_status(f"{self.app_url}/api/user") not in (None, 404):
            lines.append(f"  Try      {self._example(self.pool)}")
        if self.replaced:
            lines.append(
                f"  Replaced {', '.join(self.replaced)} (to use yours, set COGNITO_POOL_ID)"
            )
        return "\n".join(lines)

    @staticmethod
    def _users(pool: PoolConfig) -> str:
        """Return the users that share the most common password, and that password."""
        passwords = [user.password for user in pool.people if not user.temporary]
        password = max(passwords, key=passwords.count)
        names = [
            f"{user.username} ({', '.join(user.groups)})" if user.groups else user.username
            for user in pool.people
            if user.password == password
        ]
        return f"{'  '.join(names)}   {password}"

    def _has_token_command(self) -> bool:
        file = self.makefile
        return file.is_file() and "\ntoken:" in file.read_text(encoding="utf-8")

    def _example(self, pool: PoolConfig) -> str:
        """Return a command that calls the API, with the pool's port if it is not the default."""
        port = "" if pool.port == ports.DEFAULTS["POOL_PORT"] else f" POOL_PORT={pool.port}"
        app = self.app_url.removeprefix("http://")
        return f'curl -H "Authorization: Bearer $(make -s token AS=ada{port})" {app}/api/user'
