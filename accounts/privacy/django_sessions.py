"""The browser sessions of a person, where Django keeps them in the database.

Sessions hold whose they are only inside, so all have to be opened. Where they are kept elsewhere
(cache, files, cookies) nobody can go through them; they lead nowhere once their sign-in has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from ..models import SignIn
from ..sessions import browser_session

_DJANGOS_OWN = {SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY}


@dataclass(frozen=True)
class StoredSession:
    """`sign_in`: how it came about at the provider, None after a password. `content`: what else
    the site put into it."""

    key: str
    expires_at: datetime
    sign_in: SignIn | None
    content: dict[str, Any]


def sessions_of(user: Any) -> Iterator[StoredSession]:
    """Those of one person, expired ones included; none where the database holds none."""
    model = _model()
    if model is None:
        return
    sign_ins = {row.key: row for row in SignIn.objects.filter(user=user)}
    for row in model._default_manager.iterator(chunk_size=500):
        content = row.get_decoded()
        if content.get(SESSION_KEY) != str(user.pk):
            continue
        yield StoredSession(
            key=row.pk,
            expires_at=row.expire_date,
            sign_in=sign_ins.get(browser_session.key_in(content)),
            content={
                name: value
                for name, value in browser_session.without_key(content).items()
                if name not in _DJANGOS_OWN
            },
        )


def delete_sessions(keys: Iterable[str]) -> None:
    """As the site's own store deletes them: out of its cache as well, if it has one."""
    for key in keys:
        _store()().delete(key)


def _store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore


def _model() -> Any:
    """The model of a store that keeps sessions in the database, None for any other."""
    find = getattr(_store(), "get_model_class", None)
    return find() if find is not None else None
