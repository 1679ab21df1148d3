"""Databases with a given number of rows, on SQLite or on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from .load import ROOT

USUAL_POSTGRESQL = "postgres://postgres@127.0.0.1:5432/postgres"


def postgresql() -> str | None:
    """Return the URL of a running PostgreSQL: DATABASE_URL, or a local server; else None."""
    url = os.environ.get("DATABASE_URL", "")
    url = url if url.startswith("postgres") else USUAL_POSTGRESQL
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.Error:
        return None
    return url


class Databases:
    """Databases with our tables and the peers'. Those on PostgreSQL are dropped at the end."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._number = 0
        self._made: list[tuple[str, str]] = []  # URL of the server, name

    def make(self, row_count: int, server: str | None = None) -> dict[str, str]:
        """Create a database with this many figures (108: the demo), and return its environment."""
        self._number += 1
        name = f"bench_{os.getpid()}_{self._number}"
        if server is None:
            url = f"sqlite:///{self._folder / name}.sqlite3"
        else:
            _execute(server, "CREATE DATABASE {}", name)
            self._made.append((server, name))
            url = urlsplit(server)._replace(path=f"/{name}").geturl()
        environment = {**self._environment, "DATABASE_URL": url}
        peers = {**environment, "DJANGO_SETTINGS_MODULE": "tools.bench.peers.allauth_settings"}
        manage(environment, "migrate", "--verbosity", "0")
        manage(peers, "migrate", "--run-syncdb", "--verbosity", "0")
        if row_count == 108:
            manage(environment, "seed_stats")
        else:
            manage(
                environment, "shell", "-c", f"from tests.stats.scale import fill; fill({row_count})"
            )
        return environment

    def close(self) -> None:
        for server, name in self._made:
            _execute(server, "DROP DATABASE {} WITH (FORCE)", name)


def manage(environment: Mapping[str, str], *arguments: str) -> None:
    """Run a Django command with this environment. Raises RuntimeError with its output."""
    command = [sys.executable, "-m", "django", *arguments]
    done = subprocess.run(
        command, env=dict(environment), cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")


def _execute(server: str, statement: str, name: str) -> None:
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
