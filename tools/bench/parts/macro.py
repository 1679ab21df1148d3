"""The list of figures over HTTP, compared with the peers and the floor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..bench_site import Site
from ..client import send_once
from ..goals import result
from ..lists import require_same
from ..measuring import MeasurementError, in_turn, ratio
from ..options import Options
from ..outcome import Outcome
from ..servers import ONE_SYNC_WORKER, Server
from .subject import Subject, current_spec

CONNECTIONS = 8
ROWS = 108
MIN_LOAD_RATE = 2000  # requests per second; a slower load generator would measure itself
LIST = "GET /api/stats, 108 rows, 8 connections, one sync worker"
LIMIT = "limit of the load: a socket that responds immediately"
OURS, FLOOR = "this project", "floor: a constant of the same bytes"
UNCHANGED = "this project, unchanged: a 304"
PEER, MOZILLA, PLAIN = (
    "DRF viewset, django-cognito-jwt",
    "DRF viewset, mozilla-django-oidc",
    "DRF viewset, no authentication",
)
RECOMMENDED = "recommended server"
PATHS = {PEER: "/cognito-jwt/stats", MOZILLA: "/mozilla/stats", PLAIN: "/plain/stats"}
OUR_PATH = "/api/stats"


def run(site: Site, options: Options) -> Outcome:
    environment = site.databases.make(ROWS)
    one = site.serve("site", environment, *ONE_SYNC_WORKER)
    response = send_once(one.port, OUR_PATH, site.bearer())
    Path(environment["BENCH_BODY"]).write_bytes(response.body)
    peers = site.serve("peers", environment, *ONE_SYNC_WORKER)
    servers = [
        one,
        peers,
        site.serve("floor", environment, *ONE_SYNC_WORKER),
        site.serve("site", environment),
        site.serve("peers", environment),
    ]
    try:
        require_peers_to_agree(site, one, peers)
        return _measure(site, servers, environment, options)
    finally:
        site.stop(*servers)


def headers_for(site: Site, name: str) -> dict[str, str]:
    """Return the headers for a server. django-cognito-jwt requires `aud` and so the ID token."""
    return {"Host": "localhost"} if name == PLAIN else site.bearer(id_token=name.startswith(PEER))


def require_peers_to_agree(site: Site, one: Server, peers: Server) -> None:
    """Raise MeasurementError if a peer returns another list, or accepts a bad token."""
    expected = send_once(one.port, OUR_PATH, site.bearer())
    for name, path in PATHS.items():
        headers = headers_for(site, name)
        require_same(name, expected, send_once(peers.port, path, headers))
        if token := headers.get("Authorization"):
            status = send_once(
                peers.port, path, {**headers, "Authorization": break_signature(token)}
            ).status
            if status not in (401, 403):
                raise MeasurementError(f"{name} responds to a broken signature with {status}")


def break_signature(token: str) -> str:
    """Return the token with another signature of the same length."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{signature[::-1]}"


def _subjects(site: Site, servers: list[Server], seconds: float) -> dict[str, Subject]:
    one, peers, floor, recommended, peers_recommended = servers
    places = {
        FLOOR: (floor, OUR_PATH),
        OURS: (one, OUR_PATH),
        **{name: (peers, path) for name, path in PATHS.items()},
        f"{OURS}, {RECOMMENDED}": (recommended, OUR_PATH),
        f"{PEER}, {RECOMMENDED}": (peers_recommended, PATHS[PEER]),
    }
    subjects = {
        name: Subject(
            current_spec(server.port, path, headers_for(site, name)),
            connections=CONNECTIONS,
            seconds=seconds,
            server=server,
        )
        for name, (server, path) in places.items()
    }
    # The entity tag `*` matches every version (RFC 9110 section 13.1.2).
    unchanged = current_spec(
        one.port, OUR_PATH, {**site.bearer(), "If-None-Match": "*"}, status=304
    )
    subjects[UNCHANGED] = Subject(unchanged, connections=CONNECTIONS, seconds=seconds, server=one)
    stub = current_spec(site.userinfo_port, "/oauth2/userInfo", site.bearer())
    subjects[LIMIT] = Subject(stub, connections=CONNECTIONS, seconds=seconds)
    return subjects


def _measure(
    site: Site, servers: list[Server], environment: Mapping[str, str], options: Options
) -> Outcome:
    subjects = _subjects(site, servers, options.seconds)
    series = in_turn(subjects, options.rounds)
    peer, fastest = series[PEER], series[f"{OURS}, {RECOMMENDED}"]
    results = [
        result("list, peer", lambda: ratio(series[OURS], peer)),
        result("list, floor", lambda: ratio(series[OURS], series[FLOOR])),
        result("unchanged, floor", lambda: ratio(series[UNCHANGED], series[FLOOR])),
        result("list, recommended", lambda: ratio(fastest, peer)),
    ]
    outcome = Outcome(dict(results))
    for name, subject in subjects.items():
        try:
            figure = subject.figure(LIST, series[name])
        except MeasurementError as problem:
            outcome.problems.append(str(problem))
            continue
        outcome.figures.append(figure)
        if name == LIMIT and figure.found.middle < MIN_LOAD_RATE:
            outcome.problems.append(
                f"the load generator does not reach {MIN_LOAD_RATE} requests per second"
            )
    return outcome
