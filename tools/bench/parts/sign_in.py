"""A sign-in, from the login URL to the session, compared with mozilla-django-oidc and allauth.

The pool is `tools.bench.stub_pool`. First, each application signs a user in within a process of its
own, where `main` measures CPU time. Then, servers with two processes sign in several browsers.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from statistics import median
from typing import Any

from ..bench_site import Site
from ..browsers import callback_path, in_another_process
from ..databases import postgresql
from ..goals import result
from ..measuring import MeasurementError, Series, Spread, in_turn, ratio
from ..options import Options
from ..outcome import Figure, Outcome
from ..servers import KINDS, Server

SIGN_INS, WARM_UP = 20, 3
PROCESSES, BROWSERS, SECONDS = 2, 8, 3.0
CPU_TABLE = "A sign-in: the redirect to Cognito and the callback"
RATE_TABLE = f"Sign-ins on PostgreSQL, {BROWSERS} browsers, {PROCESSES} processes each"
OURS, MOZILLA, ALLAUTH = "this project", "mozilla-django-oidc", "django-allauth"
RAW = "raw RSA"
# Each application: its kind of server, and the path of its login.
APPLICATIONS = {
    OURS: ("site", "/accounts/login/"),
    MOZILLA: ("peers", "/oidc/authenticate/"),
    ALLAUTH: ("allauth", "/login/"),
}


def run(site: Site, options: Options) -> Outcome:
    pool_id, client_id = (site.environment[f"COGNITO_{name}"] for name in ("POOL_ID", "CLIENT_ID"))
    port = site.run_stub("stub_pool", pool_id, client_id)
    domain = f"http://127.0.0.1:{port}"
    of_stub = {
        "COGNITO_CLIENT_DOMAIN": domain,
        "COGNITO_ISSUER": f"{domain}/{pool_id}",
        "BENCH_USERINFO": f"{domain}/oauth2/userInfo",
    }
    outcome = _cpu(site, {**site.databases.make(108), **of_stub}, options)
    if url := postgresql():
        outcome.take(_rate(site, {**site.databases.make(108, url), **of_stub}, options))
    else:
        outcome.problems.append("PostgreSQL is not available: set DATABASE_URL")
    return outcome


def _cpu(site: Site, environment: Mapping[str, str], options: Options) -> Outcome:
    raw = Series(RAW)

    def seconds_each(name: str) -> float:
        kind, login_path = APPLICATIONS[name]
        order = {"host": f"localhost:{site.port}", "login_path": login_path, "user": kind}
        measured = site.inside(__name__, order, {**environment, **KINDS[kind][1]})
        if name == OURS:
            raw.values.append(measured["raw"])
        return float(measured["seconds"])

    subjects = {name: partial(seconds_each, name) for name in APPLICATIONS}
    series = in_turn(subjects, options.tries, warm_up=False)
    outcome = Outcome(
        dict(
            [
                result("sign-in CPU", lambda: ratio(series[OURS], series[MOZILLA])),
                result("sign-in CPU, allauth", lambda: ratio(series[OURS], series[ALLAUTH])),
                result("sign-in CPU, RSA", lambda: ratio(series[OURS], raw)),
            ]
        )
    )
    for name, item in series.items():
        milliseconds = Spread.of([1000 * seconds for seconds in item.values])
        outcome.figures.append(Figure(CPU_TABLE, name, milliseconds, "ms of CPU"))
    return outcome


def main(order: dict[str, Any]) -> dict[str, float]:
    """Return the CPU seconds of the application for each sign-in, and those of a raw RSA."""
    from django.test import Client  # requires that Django is set up

    client = Client(headers={"host": order.pop("host")})
    for _ in range(WARM_UP):
        _sign_in(client, **order)
    seconds = median(_sign_in(client, **order) for _ in range(SIGN_INS))
    return {"seconds": seconds, "raw": _raw_rsa()}


def _sign_in(client: Any, login_path: str, user: str) -> float:
    client.cookies.clear()
    started = time.process_time()
    redirect = client.get(login_path)
    response = client.get(callback_path(redirect.headers["Location"], user))
    seconds = time.process_time() - started
    if response.status_code != 302 or "_auth_user_id" not in client.session:
        raise MeasurementError(f"{user} could not sign in: status {response.status_code}")
    return seconds


def _raw_rsa() -> float:
    """Return the CPU seconds of one verification with a key of 2048 bits."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    how = padding.PKCS1v15(), hashes.SHA256()
    signature, public, times = private.sign(b"message", *how), private.public_key(), 2000
    started = time.process_time()
    for _ in range(times):
        public.verify(signature, b"message", *how)
    return (time.process_time() - started) / times


def _rate(site: Site, environment: Mapping[str, str], options: Options) -> Outcome:
    milliseconds: dict[str, list[float]] = {name: [] for name in APPLICATIONS}

    def rate_of(name: str, server: Server) -> float:
        before = server.cpu_seconds()
        kind, login_path = APPLICATIONS[name]
        load = in_another_process(
            port=server.port,
            login_path=login_path,
            users=kind,
            browsers=BROWSERS,
            seconds=SECONDS,
        )
        milliseconds[name].append(1000 * (server.cpu_seconds() - before) / load["sign_ins"])
        return load["sign_ins"] / load["seconds"]

    servers = {
        name: site.serve(kind, environment, "--workers", str(PROCESSES))
        for name, (kind, _) in APPLICATIONS.items()
    }
    subjects = {name: partial(rate_of, name, server) for name, server in servers.items()}
    series = in_turn(subjects, options.tries)
    site.stop(*servers.values())
    outcome = Outcome(
        dict(
            [
                result("sign-ins", lambda: ratio(series[OURS], series[MOZILLA])),
                result("sign-ins, allauth", lambda: ratio(series[OURS], series[ALLAUTH])),
            ]
        )
    )
    for name, item in series.items():
        if item.values:
            more: dict[str, float | str] = {"server's CPU, ms": median(milliseconds[name])}
            outcome.figures.append(Figure(RATE_TABLE, name, item.spread(), "sign-ins/s", more))
    return outcome
