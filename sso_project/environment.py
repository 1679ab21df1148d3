"""Read the environment once, through django-environ, and remember every value that is wrong.

Reading never raises: a wrong or missing value is noted under its name and a harmless stand-in is
used, so that `manage.py check`, `wsgi.py` and `asgi.py` can name *all* mistakes at once instead of
the first one.
"""

import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ

from accounts.cognito.safe_urls import address_problem

Value = TypeVar("Value")
Number = TypeVar("Number", int, None)

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


class Environment:
    """The process environment and an optional `.env` file, which never overrides it.

    `problems` maps a variable's name to a sentence that says what is wrong and what it takes.
    `names` are all variables that were asked for, in order (the documentation is tested with it).
    """

    def __init__(self, env_file: Path) -> None:
        self.problems: dict[str, str] = {}
        self.names: list[str] = []
        self._env = environ.Env()
        if env_file.is_file():
            self._env.read_env(str(env_file))

    def text(self, name: str, default: str | None = None) -> str:
        """A text, stripped. Without a default a missing or empty value is a problem."""
        self.names.append(name)
        value = self._raw(name)
        if value:
            return value
        if default is None:
            self.problems[name] = "is missing"
        return default or ""

    def origin(self, name: str, default: str | None = None) -> str:
        """A URL without a path: https, or http on this machine. Returns "" if it is malformed."""
        value = self.text(name, default).rstrip("/")
        if not value:
            return ""
        problem = address_problem(value)
        if problem is None and urlsplit(value).path:
            problem = "must have no path"
        if problem is not None:
            self.problems[name] = f"{problem}; it takes a URL like https://app.example.com"
            return ""
        return value

    def path(self, name: str) -> str:
        """A path below a host, such as /v1, with no slash at the end; "/" for the root itself."""

        def read(raw: str) -> str:
            path = "/" + raw.strip("/")
            if path != "/" and not re.fullmatch(r"(/[\w$.+!*'()~-]+)+", path, re.ASCII):
                raise ValueError
            return path

        return self._parsed(name, "", read, "must be a path such as /v1")

    def require_strong_keys(self, name: str, keys: list[str]) -> None:
        """Note a problem unless all `keys` are as Django's check security.W009 wants them."""
        for key in keys:
            if len(key) < 50 or len(set(key)) < 5 or key.startswith("django-insecure-"):
                self.problems.setdefault(name, "must hold 50 random characters or more in each key")

    def flag(self, name: str, default: bool) -> bool:
        """1 or 0 (true/false, yes/no, on/off are understood)."""

        def read(raw: str) -> bool:
            word = raw.lower()
            if word not in _TRUE | _FALSE:
                raise ValueError
            return word in _TRUE

        return self._parsed(name, default, read, "must be 1 or 0")

    def number(self, name: str, default: Number, *, least: int = 0) -> int | Number:
        """A whole number, at least `least`."""

        def read(raw: str) -> int:
            number = int(raw)
            if number < least:
                raise ValueError
            return number

        return self._parsed(name, default, read, f"must be a whole number, {least} or more")

    def choice(self, name: str, default: str, words: tuple[str, ...]) -> str:
        """One of `words`."""

        def read(raw: str) -> str:
            if raw not in words:
                raise ValueError
            return raw

        return self._parsed(name, default, read, f"must be one of {', '.join(words)}")

    def port(self, name: str, default: int) -> int:
        """A TCP port, 1 to 65535."""

        def read(raw: str) -> int:
            number = int(raw)
            if not 1 <= number <= 65535:
                raise ValueError
            return number

        return self._parsed(name, default, read, "must be a port, 1 to 65535")

    def items(self, name: str, default: tuple[str, ...] = ()) -> list[str]:
        """A comma-separated list; blanks around the items are dropped."""

        def read(raw: str) -> tuple[str, ...]:
            return tuple(item.strip() for item in raw.split(",") if item.strip())

        return list(self._parsed(name, default, read, "must be a comma-separated list"))

    def mapping(self, name: str, default: dict[str, Any]) -> dict[str, Any]:
        """A JSON object."""

        def read(raw: str) -> dict[str, Any]:
            value = json.loads(raw)
            if not isinstance(value, dict):
                raise ValueError
            return value

        return self._parsed(name, default, read, "must be a JSON object")

    def database(self, name: str, default: str) -> dict[str, Any]:
        """A database URL as a `DATABASES` entry."""

        def read(raw: str) -> dict[str, Any]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # they would show the password of a URL
                config: dict[str, Any] = dict(environ.Env.db_url_config(raw))
            # What it doesn't know it takes for the name of a module.
            if "." not in config.get("ENGINE", "") or not config.get("NAME"):
                raise ValueError
            return config

        fallback = dict(environ.Env.db_url_config(default))
        return self._parsed(
            name, fallback, read, "must be a database URL such as postgres://user@host:5432/name"
        )

    def redis(self, name: str) -> str:
        """A URL of Redis or Valkey, as redis-py takes it; empty when absent."""

        def read(raw: str) -> str:
            url = urlsplit(raw)
            server = url.scheme in {"redis", "rediss"} and url.hostname and url.port != 0
            if not server and not (url.scheme == "unix" and url.path):
                raise ValueError
            return raw

        return self._parsed(
            name,
            "",
            read,
            "must be a URL such as redis://host:6379/0, special characters of a password as %2F",
        )

    def _parsed(self, name: str, default: Value, read: Callable[[str], Value], rule: str) -> Value:
        self.names.append(name)
        raw = self._raw(name)
        if not raw:
            return default
        try:
            return read(raw)
        except Exception:  # whatever a parser raises, the value is what is wrong
            self.problems[name] = rule
            return default

    def _raw(self, name: str) -> str:
        # Not env.str(): that reads a value beginning with "$" as the name of another variable,
        # and a secret may begin with one.
        return str(self._env.ENVIRON.get(name, "")).strip()
