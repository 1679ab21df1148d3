"""The session store: Django's, which reads a session with a query that is compiled once."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.core.db import CompiledQuery, QueryParameter

_LIVE = CompiledQuery(
    Session.objects.filter(
        session_key=QueryParameter("key", Session._meta.get_field("session_key")),
        expire_date__gt=QueryParameter("now", Session._meta.get_field("expire_date")),
    )
)


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Any:
        found = _LIVE.instances(key=self.session_key, now=timezone.now())
        return found[0] if found else super()._get_session_from_db()  # type: ignore[misc]
