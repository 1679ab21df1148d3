"""Where the time of `GET /api/stats` goes: authentication's share, and the profile by areas."""

from __future__ import annotations

from ..bench_site import Site
from ..goals import result
from ..measuring import Spread
from ..options import Options
from ..outcome import Figure, Outcome

REQUESTS = 300  # for authentication's share
SAMPLES = 2000  # eight seconds of CPU time
TABLE = "GET /api/stats, 108 rows: where the time goes"


def run(site: Site, options: Options) -> Outcome:
    environment = site.databases.make(108)
    order = {
        "headers": site.bearer(),
        "rounds": options.micro_rounds,
        "requests": REQUESTS,
        "samples": SAMPLES,
    }
    found = site.inside("tools.bench.parts.profiling", order, environment)
    shares = Spread.of([100 * share for share in found["authentication"]])
    outcome = Outcome(
        dict(
            [
                result("authentication", lambda: shares),
                result("queries of authentication", lambda: float(found["queries"])),
            ]
        )
    )
    for area, share in found["areas"].items():
        percent = Spread(share * 100, share * 100, share * 100)
        outcome.figures.append(Figure(TABLE, area, percent, "%"))
    return outcome
