"""The CPU time of an API view as a coroutine on ASGI, compared with the same view on WSGI."""

from __future__ import annotations

from ..bench_site import Site
from ..goals import result
from ..measuring import Series, Spread, ratio
from ..options import Options
from ..outcome import Figure, Outcome

TABLE = "A small API view, a token seen again: CPU of a request, in one process"
NAMES = {"awaited": "a coroutine on ASGI", "plain": "a function on WSGI"}


def run(site: Site, options: Options) -> Outcome:
    environment = site.databases.make(108)
    order = {"headers": site.bearer(), "rounds": options.micro_rounds}
    measured = site.inside("tools.bench.parts.twins", order, environment)
    series = {name: Series(name, values) for name, values in measured.items()}
    goal = result("awaited view", lambda: ratio(series["awaited"], series["plain"]))
    outcome = Outcome(dict([goal]))
    for name, subject in series.items():
        microseconds = Spread.of([value * 1e6 for value in subject.values])
        outcome.figures.append(Figure(TABLE, NAMES[name], microseconds, "µs"))
    return outcome
