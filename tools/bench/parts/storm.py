"""Concurrent requests with an expired token, unknown keys, a rotated key; calls of a sign-in."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable
from statistics import median

from ..bench_site import OTHER_USER, USER, Site
from ..client import send_once
from ..goals import result
from ..load import Load, RequestSpec, in_another_process
from ..measuring import MeasurementError, Spread
from ..options import Options
from ..outcome import Figure, Outcome
from ..servers import Server

AT_ONCE = 50
TOKEN_SECONDS = 0.1  # delay of the token endpoint
UNKNOWN_KEYS = 200
COOLDOWN = 10.0  # seconds, of accounts.cognito.jwks.KeyStore
PATH = "/api/user"
DELAY_MS = f"{TOKEN_SECONDS * 1000:.0f} ms"
TABLE = f"{AT_ONCE} requests at once, one expired token, a token endpoint of {DELAY_MS}"


def run(site: Site, options: Options) -> Outcome:
    environment = site.databases.make(108)
    server = site.serve("site", {**environment, "SPA_COMPAT": "1"})
    try:
        for _ in range(20):  # warm-up: all processes load their code and keys
            send_once(server.port, PATH, site.bearer())
        outcome = _refreshes(site, server, environment, options)
        outcome.results |= dict(
            [
                result("sign-in calls", lambda: _calls_of_a_sign_in(site, server)),
                result("unknown keys", lambda: _downloads_for_unknown_keys(site, server)),
                result("rotated key", lambda: _refused_after_rotation(site, server)),
            ]
        )
    finally:
        site.stop(server)
    return outcome


def _refreshes(
    site: Site, server: Server, environment: dict[str, str], options: Options
) -> Outcome:
    beside = RequestSpec(server.port, PATH, site.signed_in(server, OTHER_USER))
    session = site.signed_in(server)
    # Each kind: headers with a valid token, and a function that returns those with an expired one.
    kinds: dict[str, tuple[dict[str, str], Callable[[], dict[str, str]]]] = {
        "an API client's tokens": (site.bearer(), lambda: _expired_tokens(site)),
        "a browser's session": (session, lambda: _expired_session(site, environment, session)),
    }
    storms: dict[str, list[tuple[Load, Load]]] = {}
    calls: list[float] = []
    problems: Counter[str] = Counter()
    outcome = Outcome()
    for name, (valid_headers, expired_headers) in kinds.items():
        storms[name] = []
        for number in range(-1, options.tries):  # the first one is a warm-up
            valid, _ = _storm(site, server, valid_headers, beside)
            expired, made = _storm(site, server, expired_headers(), beside)
            problems += Counter(valid.problems) + Counter(expired.problems)
            if number >= 0:
                storms[name].append((valid, expired))
                calls.append(made)
        if not problems:
            outcome.figures.append(_figure(name, storms[name]))

    def worst_kind(times: Callable[[Load], float]) -> Spread:
        """Return the additional time of the worse kind, in times of the token endpoint."""
        if problems:
            raise MeasurementError(
                ", ".join(f"{count} x {what}" for what, count in problems.items())
            )
        spreads = [
            Spread.of([(times(expired) - times(valid)) / TOKEN_SECONDS for valid, expired in pairs])
            for pairs in storms.values()
        ]
        return max(spreads, key=lambda spread: spread.middle)

    def most_calls() -> float:
        worst_kind(lambda load: load.slowest)  # raises MeasurementError for wrong responses
        return max(calls)

    outcome.results = dict(
        [
            result("refresh calls", most_calls),
            result("refresh slowest", lambda: worst_kind(lambda load: load.slowest)),
            result("refresh beside", lambda: worst_kind(lambda load: load.beside)),
        ]
    )
    return outcome


def _figure(name: str, pairs: list[tuple[Load, Load]]) -> Figure:
    slowest = Spread.of([expired.slowest * 1000 for _, expired in pairs])
    more: dict[str, float | str] = {
        "with a valid token, ms": median(valid.slowest * 1000 for valid, _ in pairs),
        "other client, ms": median(expired.beside * 1000 for _, expired in pairs),
        "other client, with a valid token, ms": median(valid.beside * 1000 for valid, _ in pairs),
    }
    return Figure(TABLE, f"{name}: the slowest", slowest, "ms", more)


def _storm(
    site: Site, server: Server, headers: dict[str, str], beside: RequestSpec
) -> tuple[Load, float]:
    """Run the load, and return it with the number of calls to the token endpoint."""
    site.pool.faults.add("token", "slow", seconds=TOKEN_SECONDS)
    before = site.pool.counts()["token"]
    spec = RequestSpec(server.port, PATH, headers)
    load = in_another_process("all_at_once", spec, beside=beside, connections=AT_ONCE)
    site.pool.faults.clear()
    return load, float(site.pool.counts()["token"] - before)


def _expired_tokens(site: Site) -> dict[str, str]:
    """Return headers with an expired access token and a refresh token (SPA_COMPAT)."""
    site.pool.clock.advance(-3660)
    tokens = site.pool.tokens_for(USER)
    site.pool.clock.advance(3660)
    return {
        "Host": "localhost",
        "Authorization": f"Bearer {tokens['access_token']}",
        "x-refresh-token": tokens["refresh_token"],
    }


def _expired_session(
    site: Site, environment: dict[str, str], headers: dict[str, str]
) -> dict[str, str]:
    site.inside("tools.bench.parts.expiring", {"username": USER}, environment)
    return headers


def _calls_of_a_sign_in(site: Site, server: Server) -> float:
    """Return the number of calls by the server; the browser uses other endpoints of the pool."""
    before = site.pool.counts()
    site.signed_in(server)
    after = site.pool.counts()
    return float(
        sum(after[name] - before[name] for name in ("token", "jwks", "userInfo", "discovery"))
    )


def _downloads_for_unknown_keys(site: Site, server: Server) -> float:
    """Return the key set downloads for unknown keys, divided by the allowed number."""
    before, started = site.pool.counts()["jwks"], time.monotonic()
    for number in range(UNKNOWN_KEYS):
        token = with_key_id(site.access_token, f"unknown-{number}")
        headers = {"Host": "localhost", "Authorization": f"Bearer {token}"}
        status = send_once(server.port, PATH, headers).status
        if status != 401:
            raise MeasurementError(f"the response to an unknown key is {status}")
    cooldowns = 1 + (time.monotonic() - started) // COOLDOWN
    return (site.pool.counts()["jwks"] - before) / (len(server.workers()) * cooldowns)


def _refused_after_rotation(site: Site, server: Server) -> float:
    """Return the number of failed requests with a new key, after the cooldown."""
    time.sleep(COOLDOWN + 1)
    site.pool.pool.keys.rotate(keep_old=True)
    token = site.pool.tokens_for(USER)["access_token"]
    headers = {"Host": "localhost", "Authorization": f"Bearer {token}"}
    statuses = [send_once(server.port, PATH, headers).status for _ in range(20)]
    return float(len(statuses) - statuses.count(200))


def with_key_id(token: str, key_id: str) -> str:
    """Return the token with another key ID in its header."""
    segment, rest = token.split(".", 1)
    header = json.loads(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    new_header = json.dumps({**header, "kid": key_id}).encode()
    return f"{urlsafe_b64encode(new_header).rstrip(b'=').decode()}.{rest}"
