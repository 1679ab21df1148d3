"""Read environment variables with django-environ, and collect a problem for each invalid one.

Reading never raises an error. For a missing or invalid value it stores a problem and returns a
harmless default, so that `manage.py check`, `wsgi.py` and `asgi.py` can report *all* problems at
once.
"""

import json
import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ

from accounts.cognito.safe_urls import normalize_origin, url_problem

Value = TypeVar("Value")
Number = TypeVar("Number", int, None)

_ENGINES = ("django.db.backends.postgresql", "django.db.backends.sqlite3")  # the tested ones
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


class Environment:
    """The process environment, completed by an optional `.env` file, which never overrides it.

    `problems` maps the name of a variable to a description of the problem, such as "is missing".
    `names` are all variables read so far, in order. Tests compare them with the documentation.
    """

    def __init__(self, env_file: Path, *, name: str = "") -> None:
        """Read `env_file` if it exists. With the `name` of a variable that names it, it must."""
        self.problems: dict[str, str] = {}
        self.names: list[str] = []
        self._env = environ.Env()
        if not env_file.is_dir() and os.access(env_file, os.R_OK):
            self._env.read_env(str(env_file))
        elif name:
            self.problems[name] = f"({env_file}) is not a file that this process can read"

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text, stripped. Without a default, a missing or empty value is a problem."""
        self.names.append(name)
        value = self._raw(name)
        if value:
            return value
        if default is None:
            self.problems[name] = "is missing"
        return default or ""

    def origin(self, name: str, default: str | None = None) -> str:
        """Return a URL without a path (https, or http on loopback), or "" if it is invalid."""
        value = normalize_origin(self.text(name, default))
        if not value:
            return ""
        problem = url_problem(value)
        if problem is None and urlsplit(value).path:
            problem = "must have no path"
        if problem is not None:
            self.problems[name] = f"{problem}; set a URL like https://app.example.com"
            return ""
        return value

    def path(self, name: str) -> str:
        """Return a URL path such as /v1, without a slash at the end, or "/" for the root."""

        def read(raw: str) -> str:
            path = "/" + raw.strip("/")
            if path != "/" and not re.fullmatch(r"(/[\w$.+!*'()~-]+)+", path, re.ASCII):
                raise ValueError
            return path

        return self._parse(name, "", read, "must be a path such as /v1")

    def link(self, name: str, default: str) -> str:
        """Return the URL of a page to link to, https or http."""

        def read(raw: str) -> str:
            url = urlsplit(raw)
            if url.scheme not in ("https", "http") or not url.hostname:
                raise ValueError
            return raw

        return self._parse(name, default, read, "must be a URL such as https://example.com/page")

    def require_strong_keys(self, name: str, keys: list[str]) -> None:
        """Store a problem unless all `keys` pass Django's check security.W009."""
        for key in keys:
            if len(key) < 50 or len(set(key)) < 5 or key.startswith("django-insecure-"):
                self.problems.setdefault(name, "must have at least 50 random characters per key")

    def flag(self, name: str, default: bool) -> bool:
        """Return True for 1, true, yes or on, and False for 0, false, no or off."""

        def read(raw: str) -> bool:
            word = raw.lower()
            if word not in _TRUE | _FALSE:
                raise ValueError
            return word in _TRUE

        return self._parse(name, default, read, "must be 1 or 0")

    def number(self, name: str, default: Number, *, minimum: int = 0) -> int | Number:
        """Return a whole number, at least `minimum`."""

        def read(raw: str) -> int:
            number = int(raw)
            if number < minimum:
                raise ValueError
            return number

        return self._parse(name, default, read, f"must be a whole number, {minimum} or more")

    def choice(self, name: str, default: str, words: tuple[str, ...]) -> str:
        """Return one of `words`."""

        def read(raw: str) -> str:
            if raw not in words:
                raise ValueError
            return raw

        return self._parse(name, default, read, f"must be one of {', '.join(words)}")

    def port(self, name: str, default: int) -> int:
        """Return a TCP port, 1 to 65535."""

        def read(raw: str) -> int:
            number = int(raw)
            if not 1 <= number <= 65535:
                raise ValueError
            return number

        return self._parse(name, default, read, "must be a port, 1 to 65535")

    def bind(self, name: str, default: str) -> str:
        """Return where a server listens: an IP address or a host with a port, or unix:/path."""

        def read(raw: str) -> str:
            for item in raw.split(","):
                if not re.fullmatch(r"unix:.+|fd://\d+", item):
                    url = urlsplit(f"//{item}")
                    if not url.hostname or not url.port or url.netloc != item:
                        raise ValueError
            return raw

        return self._parse(name, default, read, "must be like 0.0.0.0:8000 or unix:/run/site.sock")

    def items(self, name: str, default: tuple[str, ...] = ()) -> list[str]:
        """Return the items of a comma-separated list, stripped."""

        def read(raw: str) -> tuple[str, ...]:
            return tuple(item.strip() for item in raw.split(",") if item.strip())

        return list(self._parse(name, default, read, "must be a comma-separated list"))

    def mapping(self, name: str, default: dict[str, Any]) -> dict[str, Any]:
        """Return a JSON object."""

        def read(raw: str) -> dict[str, Any]:
            value = json.loads(raw)
            if not isinstance(value, dict):
                raise ValueError
            return value

        return self._parse(name, default, read, "must be a JSON object")

    def database(self, name: str, default: str) -> dict[str, Any]:
        """Return a database URL as an entry of DATABASES."""

        def read(raw: str) -> dict[str, Any]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # they show the URL, which may hold a password
                config: dict[str, Any] = dict(environ.Env.db_url_config(raw))
            # django-environ returns an unknown scheme as the name of an engine.
            if config.get("ENGINE") not in _ENGINES or not config.get("NAME"):
                raise ValueError
            return config

        fallback = dict(environ.Env.db_url_config(default))
        return self._parse(
            name,
            fallback,
            read,
            "must be the URL of a PostgreSQL or SQLite database, such as"
            " postgres://user@host:5432/name",
        )

    def redis(self, name: str) -> str:
        """Return a URL of Redis or Valkey in the form of redis-py, or "" if there is none."""

        def read(raw: str) -> str:
            url = urlsplit(raw)
            server = url.scheme in {"redis", "rediss"} and url.hostname and url.port != 0
            if not server and not (url.scheme == "unix" and url.path):
                raise ValueError
            return raw

        return self._parse(
            name,
            "",
            read,
            "must be a URL such as redis://host:6379/0, with a password percent-encoded (%2F)",
        )

    def _parse(self, name: str, default: Value, read: Callable[[str], Value], rule: str) -> Value:
        self.names.append(name)
        raw = self._raw(name)
        if not raw:
            return default
        try:
            return read(raw)
        except Exception:  # parsers raise many types for an invalid value
            self.problems[name] = rule
            return default

    def _raw(self, name: str) -> str:
        # Not env.str(): it takes a value that begins with "$" for the name of another variable, and
        # a secret can begin with "$".
        return str(self._env.ENVIRON.get(name, "")).strip()
