"""The page to return to after a sign-in, and how to get there, sealed in the `state`.

So it does not depend on the attempt's cookie: the user gets there after the cookie has expired, and
in a browser that did not begin the attempt, such as the one that an office program opens. The state
cannot be read or forged. A long page is stored on the server, because identity providers and
proxies limit the length of URLs, and its state holds the key.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.module_loading import import_string

from ..core.encryption import DecryptionError
from ..models import rate_limit
from ..provider import provider

MAX_SEALED_LENGTH = 240  # characters of a page that the state itself holds
MAX_PARAMETERS_LENGTH = 200  # characters of JSON; longer ones are only in the attempt's cookie
# Pages in STORED_WINDOW, because anyone can cause one to be stored.
MAX_STORED_PER_SUBNET = 200
MAX_STORED = 5000
STORED_WINDOW = 3600  # seconds
STORED_FOR = 86_400  # seconds
_MAX_KEY_LENGTH = 64  # a session store that is a cookie has its whole content as the key
_PAGE, _KEY, _ANOTHER, _PARAMETERS = "n", "k", "o", "p"


class Destination(NamedTuple):
    """The page to return to, or "". `another` is True if the user asked for another account.

    `parameters` are those of the link to the sign-in, for the hosted UI.
    """

    next_url: str = ""
    another: bool = False
    parameters: tuple[tuple[str, str], ...] = ()


def seal(destination: Destination, *, subnet: str | None) -> str:
    """Return `destination` as a state, with 128 random bits.

    `subnet` limits how many long pages one client can store. Without it, or beyond a limit, a long
    page loses its query.
    """
    content: dict[str, Any] = {_PAGE: destination.next_url}
    if len(destination.next_url) > MAX_SEALED_LENGTH:
        key = _store(destination.next_url, subnet) if subnet is not None else ""
        path = destination.next_url.partition("#")[0].partition("?")[0]
        content = {_KEY: key} if key else {_PAGE: path if len(path) <= MAX_SEALED_LENGTH else ""}
    if destination.another:
        content[_ANOTHER] = 1
    if destination.parameters and len(json.dumps(destination.parameters)) <= MAX_PARAMETERS_LENGTH:
        content[_PARAMETERS] = destination.parameters
    return provider().cipher.seal(content).rstrip("=")  # Cognito would escape the padding


def read(state: str) -> Destination:
    """Return the destination of a state of this site, however old, or an empty one."""
    try:
        content = provider().cipher.open(state + "=" * (-len(state) % 4))
    except DecryptionError:
        return Destination()
    # Anything else that this site encrypts has other names.
    page = content.get(_PAGE) or (_load(content[_KEY]) if content.get(_KEY) else "")
    parameters = tuple((name, value) for name, value in content.get(_PARAMETERS, ()))
    return Destination(str(page), bool(content.get(_ANOTHER)), parameters)


def _store(next_url: str, subnet: str) -> str:
    """Store the page in a session of its own, which belongs to no browser. Return its key or ""."""
    for counter, limit in (
        (f"destinations:{subnet}", MAX_STORED_PER_SUBNET),
        ("destinations", MAX_STORED),
    ):
        if not rate_limit.take(counter, limit=limit, seconds=STORED_WINDOW):
            return ""
    session = _session_store()
    session[_PAGE] = next_url
    session.set_expiry(STORED_FOR)
    session.create()
    key = str(session.session_key or "")
    return key if len(key) <= _MAX_KEY_LENGTH else ""


def _load(key: str) -> str:
    return str(_session_store(key).get(_PAGE, ""))


def _session_store(key: str | None = None) -> Any:
    return import_string(f"{settings.SESSION_ENGINE}.SessionStore")(key)
