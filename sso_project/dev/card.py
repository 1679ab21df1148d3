"""The card that `manage.py dev` ends with: where everything is and who can sign in."""

from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

from local_pool.config import PoolConfig

from . import ports

# Answers come from this machine: a proxy named by the environment has no part in it.
_opener = build_opener(ProxyHandler({}))


def status_of(address: str) -> int | None:
    """The HTTP status with which `address` answers (after redirects), None when nothing does."""
    try:
        with _opener.open(address, timeout=2) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code
    except OSError:
        return None


@dataclass(frozen=True)
class Card:
    """What is told: `pool` is the local pool's configuration, None with a real one."""

    seconds: float
    app_url: str
    pool_id: str
    pool: PoolConfig | None
    makefile: Path

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
        if status_of(f"{self.pool.domain}/_local/") == 200:
            lines.append(f"  Pool     {self.pool.domain}/_local/")
        lines.append(f"  Sign in  {self._people(self.pool)}")
        if self._has_token_command() and status_of(f"{self.app_url}/api/user") not in (None, 404):
            lines.append(f"  Try      {self._example(self.pool)}")
        return "\n".join(lines)

    @staticmethod
    def _people(pool: PoolConfig) -> str:
        """Everyone with the most common password, which follows; the others have their own."""
        passwords = [person.password for person in pool.people if not person.temporary]
        shared = max(passwords, key=passwords.count)
        names = [
            f"{person.username} ({', '.join(person.groups)})" if person.groups else person.username
            for person in pool.people
            if person.password == shared
        ]
        return f"{'  '.join(names)}   {shared}"

    def _has_token_command(self) -> bool:
        file = self.makefile
        return file.is_file() and "\ntoken:" in file.read_text(encoding="utf-8")

    def _example(self, pool: PoolConfig) -> str:
        """A call of the API to paste, with the pool's port where it is not the usual one."""
        port = "" if pool.port == ports.DEFAULTS["POOL_PORT"] else f" POOL_PORT={pool.port}"
        app = self.app_url.removeprefix("http://")
        return f'curl -H "Authorization: Bearer $(make -s token AS=ada{port})" {app}/api/user'
