"""The Django sessions of a user, if the database stores them.

A session names its user only in its encoded content, so every session must be decoded. Sessions in
a cache, in files or in cookies cannot be listed. They are useless once their sign-in has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY

from ..models import SignIn
from ..sessions import browser_session


@dataclass(frozen=True)
class StoredSession:
    """A stored session of a user.

    `sign_in` is None for a session that no sign-in of this app began.
    """

    key: str = field(repr=False)
    expires_at: datetime
    sign_in: SignIn | None


def sessions_of(user: Any) -> Iterator[StoredSession]:
    """Yield the stored sessions of one user, including expired ones."""
    model = _model()
    if model is None:
        return
    sign_ins = {sign_in.key: sign_in for sign_in in SignIn.objects.filter(user=user)}
    for session in model._default_manager.iterator(chunk_size=500):
        content = session.get_decoded()
        if content.get(SESSION_KEY) != str(user.pk):
            continue
        yield StoredSession(
            key=session.pk,
            expires_at=session.expire_date,
            sign_in=sign_ins.get(browser_session.sign_in_key(content)),
        )


def delete_sessions(keys: Iterable[str]) -> None:
    """Delete sessions through the site's session store, which also clears its cache."""
    for key in keys:
        _store()().delete(key)


def _store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore


def _model() -> Any:
    """Return the model of a session store in the database, or None for any other store."""
    get_model = getattr(_store(), "get_model_class", None)
    return get_model() if get_model is not None else None
