"""The CPU time of `GET /api/stats`: kept and new lists, authentication, a profile by area."""

from __future__ import annotations

from ..bench_site import Site
from ..goals import result
from ..measuring import Spread
from ..options import Options
from ..outcome import Figure, Outcome

REQUESTS = 300  # for the share of authentication
SAMPLES = 2000  # eight seconds of CPU time
TABLE = "GET /api/stats, 108 rows: where the time goes"
LIST_TABLE = "GET /api/stats, 108 rows: CPU of a request, in one process"
LISTS = {"repeated": "unchanged figures", "first": "the first list after a change"}


def run(site: Site, options: Options) -> Outcome:
    environment = site.databases.make(108)
    order = {
        "headers": site.bearer(),
        "rounds": options.micro_rounds,
        "requests": REQUESTS,
        "samples": SAMPLES,
    }
    measured = site.inside("tools.bench.parts.profiling", order, environment)
    shares = Spread.of([100 * share for share in measured["authentication"]])
    outcome = Outcome(
        dict(
            [
                result("authentication", lambda: shares),
                result("queries of authentication", lambda: float(measured["queries"])),
            ]
        )
    )
    for kind, name in LISTS.items():
        milliseconds = Spread.of([1000 * seconds for seconds in measured[kind]])
        outcome.figures.append(Figure(LIST_TABLE, name, milliseconds, "ms"))
    for area, share in measured["areas"].items():
        percent = Spread(share * 100, share * 100, share * 100)
        outcome.figures.append(Figure(TABLE, area, percent, "%"))
    return outcome
