"""The CPU time of pages, of the floor with as many bytes, and of the same pages in plain Django.

All of them are views of one server with one process.
"""

from __future__ import annotations

from functools import partial

from ..bench_site import Site
from ..client import send_once
from ..goals import Result, result
from ..load import RequestSpec
from ..measuring import MeasurementError, Series, Spread, in_turn, ratio
from ..options import Options
from ..outcome import Figure, Outcome
from ..servers import ONE_SYNC_WORKER
from .subject import Subject

TABLE = "A page for one signed-in user"
DASHBOARD = "/dashboard/"
PAGES = ("/profile/", "/", "/server/")
LISTS = {
    "figures": "/admin/stats/stat/",
    "users": "/admin/accounts/user/",
    "events": "/admin/accounts/signinevent/",
}


class CpuSubject(Subject):
    """A subject that returns milliseconds of the server's CPU per request."""

    def __call__(self) -> float:
        super().__call__()
        return 1000 * self._cpu[-1]


def run(site: Site, options: Options) -> Outcome:
    environment = site.databases.make(108)
    site.inside("tools.bench.plain.fill", {}, environment)
    server = site.serve("pages", environment, *ONE_SYNC_WORKER)
    try:
        headers, anonymous = site.signed_in(server), {"Host": "localhost"}
        pages = [DASHBOARD, *PAGES, *LISTS.values()]
        plain = [f"/plain{path}" for path in (DASHBOARD, *LISTS.values())]
        subjects = {}
        for path in [*pages, *plain]:
            subjects[path] = (path, headers)
        for path in (DASHBOARD, *PAGES):
            length = len(send_once(server.port, path, headers).body)
            subjects[f"floor of {path}"] = (f"/floor/{length}", anonymous)
        series = in_turn(
            {
                name: CpuSubject(
                    # The length of a page changes with the time until its token expires.
                    RequestSpec(server.port, *subject, constant=False),
                    connections=1,
                    seconds=options.seconds * (3 if "admin" in name else 1),
                    server=server,
                )
                for name, subject in subjects.items()
            },
            options.rounds,
        )
        counts = site.inside("tools.bench.parts.page", headers, environment)
    finally:
        site.stop(server)
    outcome = Outcome(dict(_results(series)))
    outcome.results |= dict([result("page queries", lambda: float(counts["queries"]))])
    for name, values in series.items():
        try:
            outcome.figures.append(Figure(TABLE, name, values.spread(), "ms of CPU"))
        except MeasurementError as problem:
            outcome.problems.append(str(problem))
    return outcome


def _results(series: dict[str, Series]) -> list[tuple[str, Result]]:
    def in_floors(path: str) -> Spread:
        return ratio(series[path], series[f"floor of {path}"])

    def faster(path: str) -> Spread:
        return ratio(series[f"/plain{path}"], series[path])

    return [
        result("dashboard, floor", lambda: in_floors(DASHBOARD)),
        result("dashboard, plain", lambda: faster(DASHBOARD)),
        *(result(f"page {path}", partial(in_floors, path)) for path in PAGES),
        *(result(f"list of {name}", partial(faster, path)) for name, path in LISTS.items()),
    ]
