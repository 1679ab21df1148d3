"""Verifying a token, in one process: here, with the usual libraries, and the bare RSA operation."""

from __future__ import annotations

from ..bench_site import PERSON, Site
from ..goals import result
from ..measuring import Refused, Series, Spread, ratio
from ..options import Options
from ..outcome import Figure, Outcome

TOKENS = 100
TABLE = "Verifying an access token"
# Names of what is measured, by the names of verifying.py's functions.
NAMES = {
    "rsa": "raw RSA, `public_key.verify` (2048 bits)",
    "again": "this project, seen again: signature, expiry, revocation, the person",
    "claims": "the same without the person",
    "first": "this project, first sight",
    "pyjwt": "PyJWT, key at hand",
    "pyjwt_client": "PyJWT, key from its PyJWKClient",
    "joserfc": "joserfc, key from its KeySet",
    "cognito_jwt": "django-cognito-jwt, key cache on (ID token)",
}


def run(site: Site, options: Options) -> Outcome:
    environment = site.databases.make(108)
    tokens = [site.pool.tokens_for(PERSON) for _ in range(TOKENS)]
    order = {
        "rounds": options.micro_rounds,
        "access_tokens": [each["access_token"] for each in tokens],
        "id_tokens": [each["id_token"] for each in tokens],
    }
    found = site.inside("tools.bench.parts.verifying", order, environment)
    series = {name: Series(name, values) for name, values in found["seconds"].items()}
    for name, problem in found["problems"].items():
        series[name].problems[problem] += 1
    raw, outcome = series["rsa"], Outcome()
    outcome.results = dict(
        [
            result("seen again", lambda: ratio(series["again"], raw)),
            result("first sight", lambda: ratio(series["first"], series["pyjwt"])),
        ]
    )
    for name, each in series.items():
        try:
            spread = each.spread()
            in_rsa = ratio(each, raw)
        except Refused as problem:
            outcome.problems.append(str(problem))
            continue
        microseconds = Spread(*(value * 1e6 for value in (spread.middle, spread.low, spread.high)))
        more = {"of raw RSA": in_rsa.middle}
        outcome.figures.append(Figure(TABLE, NAMES[name], microseconds, "µs", {**more}))
    return outcome
