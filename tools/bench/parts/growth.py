"""Measure costs with more users, and throughput with more processes (for rows, see scaling)."""

from __future__ import annotations

from ..bench_site import USER, Site
from ..measuring import MeasurementError, Spread, in_turn
from ..options import Options
from ..outcome import Figure, Outcome
from ..servers import ONE_SYNC_WORKER
from .macro import CONNECTIONS, OUR_PATH
from .subject import Subject, current_spec

USERS = (100, 100_000)
PROCESSES = (1, 2, 4)
# The measurements of `crowd`.
NAMES = {
    "again": "a token seen again",
    "first": "a token seen for the first time, with its user in the database",
    "feed": "the revocation feed, once a second",
    "whole_feed": "the same, all of it, every five minutes",
}


def run(site: Site, options: Options) -> Outcome:
    outcome = Outcome(figures=_users(site, options))
    outcome.take(_processes(site, options))
    return outcome


def _users(site: Site, options: Options) -> list[Figure]:
    figures = []
    for count in USERS:
        environment = site.databases.make(108)
        server = site.serve("site", environment, *ONE_SYNC_WORKER)
        site.signed_in(server)  # the user is one of them
        site.stop(server)
        order = {
            "token": site.pool.tokens_for(USER)["access_token"],
            "people": count,
            "rounds": options.micro_rounds,
        }
        measured = site.inside("tools.bench.parts.crowd", order, environment)
        for name, values in measured.items():
            spread = Spread.of([value * 1e6 for value in values])
            table = f"{count:,} users, every tenth of them signed out everywhere today"
            figures.append(Figure(table, NAMES[name], spread, "µs"))
    return figures


def _processes(site: Site, options: Options) -> Outcome:
    environment = site.databases.make(108)
    servers = {
        number: site.serve("site", {**environment, "WEB_CONCURRENCY": str(number)})
        for number in PROCESSES
    }
    outcome = Outcome()
    try:
        subjects = {
            f"{number} {'process' if number == 1 else 'processes'}": Subject(
                current_spec(server.port, OUR_PATH, site.bearer()),
                connections=CONNECTIONS,
                seconds=options.seconds,
                server=server,
            )
            for number, server in servers.items()
        }
        series = in_turn(subjects, options.rounds)
    finally:
        site.stop(*servers.values())
    for name, subject in subjects.items():
        try:
            table = "GET /api/stats, 108 rows, 8 connections, recommended server"
            outcome.figures.append(subject.figure(table, series[name]))
        except MeasurementError as problem:
            outcome.problems.append(str(problem))
    return outcome
