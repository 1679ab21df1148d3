"""Token verification in one process: this project, other libraries, and raw RSA."""

from __future__ import annotations

from ..bench_site import USER, Site
from ..goals import result
from ..measuring import MeasurementError, Series, Spread, ratio
from ..options import Options
from ..outcome import Figure, Outcome

TOKENS = 100
TABLE = "Verifying an access token"
# Titles, by the functions of verifying.py.
NAMES = {
    "rsa": "raw RSA, `public_key.verify` (2048 bits)",
    "again": "this project, seen again: signature, expiry, revocation, the user",
    "claims": "the same without the user",
    "first": "this project, first use",
    "pyjwt": "PyJWT, key at hand",
    "pyjwt_client": "PyJWT, key from its PyJWKClient",
    "joserfc": "joserfc, key from its KeySet",
    "cognito_jwt": "django-cognito-jwt, key cache on (ID token)",
}


def run(site: Site, options: Options) -> Outcome:
    environment = site.databases.make(108)
    tokens = [site.pool.tokens_for(USER) for _ in range(TOKENS)]
    order = {
        "rounds": options.micro_rounds,
        "access_tokens": [item["access_token"] for item in tokens],
        "id_tokens": [item["id_token"] for item in tokens],
    }
    measured = site.inside("tools.bench.parts.verifying", order, environment)
    series = {name: Series(name, values) for name, values in measured["seconds"].items()}
    for name, problem in measured["problems"].items():
        series[name].problems[problem] += 1
    raw, outcome = series["rsa"], Outcome()
    outcome.results = dict(
        [
            result("seen again", lambda: ratio(series["again"], raw)),
            result("first sight", lambda: ratio(series["first"], raw)),
            result("first sight, joserfc", lambda: ratio(series["joserfc"], series["first"])),
        ]
    )
    for name, subject in series.items():
        try:
            spread = subject.spread()
            in_rsa = ratio(subject, raw)
        except MeasurementError as problem:
            outcome.problems.append(str(problem))
            continue
        microseconds = Spread(*(value * 1e6 for value in (spread.middle, spread.low, spread.high)))
        more = {"of raw RSA": in_rsa.middle}
        outcome.figures.append(Figure(TABLE, NAMES[name], microseconds, "µs", {**more}))
    return outcome
