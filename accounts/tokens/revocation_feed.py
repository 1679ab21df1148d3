"""The revoked access tokens, in memory: each API request is checked against them.

An access token can be verified offline until it expires, even after a sign-out. Each process
therefore holds the revoked sign-ins by `origin_jti`, the users with a "not issued before" time, and
the deactivated users. It reads new revocations at most once per second. In between, a check costs
neither SQL nor network. If they cannot be read for ten seconds, the API responds with 503.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache
from threading import Lock
from typing import Any

from django.db import DatabaseError, InterfaceError
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from ..cognito.claims import AccessClaims
from ..cognito.errors import TokenRevoked
from ..cognito.pool_ids import pool_id_of
from ..models import Identity, Revocation
from ..models.users import can_be_deactivated
from ..problems.errors import RevocationsUnavailable
from ..provider.shared_cache import is_configured, shared_cache
from .revocations import _ahead

READ_INTERVAL = 1.0  # seconds
MAX_STALENESS_SECONDS = 10.0  # seconds without a successful read until requests are refused
# Each read covers the last two minutes, because a transaction may commit late. A full read drops
# expired revocations and sees changes that bypassed `save()`.
OVERLAP = timedelta(minutes=2)
FULL_READ_INTERVAL = 300.0  # seconds
# A process that was idle for longer reads everything: the last two minutes may not be enough.
MAX_IDLE_SECONDS = 60.0  # seconds
# With a shared cache, one process reads for all. Together, both times stay below READ_INTERVAL, so
# the cache delays no revocation.
POLL_INTERVAL, SHARED_FOR = 0.5, 0.4  # seconds
_SHARED_KEY = "pool_revocations"  # not that of 0.2, whose rows have an issuer instead of the pool

_log = logging.getLogger(__name__)
UserKey = tuple[str, str]  # pool ID and subject
RevocationRow = tuple[str, str, str, str, int]  # kind, token_id, pool ID, subject, not_before


@dataclass
class RevokedTokens:
    token_ids: set[str] = field(default_factory=set)
    not_before: dict[UserKey, int] = field(default_factory=dict)
    deactivated: set[UserKey] = field(default_factory=set)

    def apply(self, kind: str, token_id: str, pool_id: str, subject: str, not_before: int) -> None:
        user = pool_id, subject
        if kind == Revocation.Kind.SIGN_IN:
            self.token_ids.add(token_id)
        elif kind == Revocation.Kind.USER:
            self.not_before[user] = max(not_before, self.not_before.get(user, 0))
        elif kind == Revocation.Kind.DEACTIVATED:
            self.deactivated.add(user)
        else:
            self.deactivated.discard(user)


class RevocationFeed:
    """The revocations known to one process, for all its threads. `clock` returns seconds."""

    def __init__(self, *, clock: Callable[[], float] = lambda: time.monotonic()) -> None:
        self._clock = clock
        self._lock = Lock()
        self._known = RevokedTokens()
        self._tried_at = self._read_at = self._read_all_at = float("-inf")
        self._read_every = READ_INTERVAL  # POLL_INTERVAL with a shared cache

    def check(self, claims: AccessClaims) -> None:
        """Raise as the function `check` does."""
        if not self.is_current():
            self._refresh()
        self.check_known(claims)

    def is_current(self) -> bool:
        """Return True if `check` would read nothing now."""
        return not self._passed(self._read_at, self._read_every)

    def check_known(self, claims: AccessClaims) -> None:
        """Raise TokenRevoked as `check` does, from the revocations that were read before."""
        revoked, user = self._known, (claims.pool_id, claims.subject)
        if claims.origin_jti in revoked.token_ids or claims.jti in revoked.token_ids:
            raise TokenRevoked("the sign-in this token belongs to was ended")
        if claims.issued_at <= revoked.not_before.get(user, 0):
            raise TokenRevoked("its user signed out everywhere after it was issued")
        if user in revoked.deactivated:
            raise TokenRevoked("its user is deactivated on this site")

    def _passed(self, since: float, seconds: float) -> bool:
        """Return True after `seconds`, or if the clock went back, as in a test that freezes it."""
        return not 0 <= self._clock() - since < seconds

    def _refresh(self) -> None:
        with self._lock:  # one thread reads for all threads that wait
            now = self._clock()
            if self._passed(self._tried_at, self._read_every):
                self._tried_at = now
                try:
                    self._read(now)
                except (DatabaseError, InterfaceError) as error:
                    _log.error("The list of revoked tokens cannot be read: %s", error)
                    # The threads that waited for this attempt must not repeat it one by one.
                    self._tried_at = self._clock()
            if self._passed(self._read_at, MAX_STALENESS_SECONDS):
                raise RevocationsUnavailable(
                    "the list of revoked tokens cannot be read", retry_after=READ_INTERVAL
                )

    def _read(self, now: float) -> None:
        """Read the new revocations, or all. `now` is from before the query, so none is skipped."""
        read_all = (
            now - self._read_all_at >= FULL_READ_INTERVAL or now - self._read_at >= MAX_IDLE_SECONDS
        )
        if read_all:
            revoked = RevokedTokens(deactivated=_deactivated_users())
            states = (Revocation.Kind.DEACTIVATED, Revocation.Kind.REACTIVATED)
            live = Revocation.objects.filter(expires_at__gt=timezone.now()).exclude(kind__in=states)
            entries = _rows(live)
        else:
            # A copy, because other threads must not see a state in between: a user who was
            # deactivated, activated and deactivated again appears as all three each time.
            revoked = replace(self._known, deactivated=set(self._known.deactivated))
            entries = _recent_rows()
        for entry in entries:
            revoked.apply(*entry)
        self._known, self._read_at = revoked, now
        self._read_every = POLL_INTERVAL if is_configured() else READ_INTERVAL
        if read_all:
            self._read_all_at = now


def _rows(revocations: QuerySet[Revocation]) -> list[RevocationRow]:
    columns = ("kind", "token_id", "pool_id", "issuer", "subject", "not_before")
    return [
        # An earlier version stores the issuer alone, while both versions run.
        (kind, token_id, pool_id or pool_id_of(issuer), subject, not_before)
        for kind, token_id, pool_id, issuer, subject, not_before in revocations.values_list(
            *columns
        )
    ]


def _recent_rows() -> list[RevocationRow]:
    """Return the revocations of the last two minutes, as another process or this one read them."""
    shared = _as_rows(shared_cache.get(_SHARED_KEY, max_age=SHARED_FOR))
    if shared is not None:
        return shared
    started = time.monotonic()
    entries = _rows(Revocation.objects.filter(at__gte=Now() - OVERLAP))
    # The rows are as old as the start of the query, however long it took.
    if (seconds := SHARED_FOR - (time.monotonic() - started)) > 0:
        shared_cache.set(_SHARED_KEY, entries, seconds=seconds)
    return entries


def _as_rows(value: Any) -> list[RevocationRow] | None:
    """Return a value of the shared cache as rows, or None if it is not a list of them."""
    if not isinstance(value, list) or not all(isinstance(item, list) for item in value):
        return None
    if not all([type(cell) for cell in item] == [str, str, str, str, int] for item in value):
        return None
    return [tuple(item) for item in value]


def _deactivated_users() -> set[UserKey]:
    if not can_be_deactivated():
        return set()
    inactive = Identity.objects.filter(user__is_active=False)
    keys = inactive.values_list("pool_id", "issuer", "subject")
    return {(pool_id or pool_id_of(issuer), subject) for pool_id, issuer, subject in keys}


@lru_cache(maxsize=1)
def _feed() -> RevocationFeed:
    return RevocationFeed()


def check(claims: AccessClaims) -> None:
    """Raise an error if a verified access token was revoked.

    Raises:
        TokenRevoked: its sign-in was ended, its user signed out everywhere after it was issued, or
            its user is deactivated here. This applies in every process after one second.
        RevocationsUnavailable: the revocations could not be read for ten seconds (a 503).
    """
    _feed().check(claims)


def check_in_memory(claims: AccessClaims) -> bool:
    """Check without a query, or return False if the revocations must be read. For event loops.

    Raises TokenRevoked as `check` does.
    """
    if not (feed := _feed()).is_current():
        return False
    feed.check_known(claims)
    return True


def check_user_in_database(claims: AccessClaims) -> None:
    """Check in the database whether this token's user signed out everywhere a moment ago.

    `check` reads this up to a second later. Call this function before something that must not
    happen in that second. Raises TokenRevoked.
    """
    recent = Revocation.objects.filter(kind=Revocation.Kind.USER, at__gte=Now() - OVERLAP)
    is_of_pool = Q(pool_id=claims.pool_id) | Q(pool_id="", issuer=claims.issuer)
    of_user = recent.filter(is_of_pool, subject=claims.subject)
    if of_user.filter(not_before__gte=claims.issued_at).exists():
        raise TokenRevoked("its user signed out everywhere after it was issued")


def reset() -> None:
    """Clear the revocations in memory. Tests do this between two databases."""
    _feed.cache_clear()
    _ahead.clear()
