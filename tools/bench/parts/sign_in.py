"""The CPU time of a sign-in, from the login URL to the session, compared with mozilla-django-oidc.

`run` starts both applications, each in a process of its own. `main` signs a user in there.
"""

from __future__ import annotations

import time
from functools import partial
from statistics import median
from typing import Any

import requests

from local_pool.form_filling import sign_in

from ..bench_site import USER, Site
from ..goals import result
from ..measuring import MeasurementError, Spread, in_turn, ratio
from ..options import Options
from ..outcome import Figure, Outcome

SIGN_INS, WARM_UP = 20, 3
TABLE = "A sign-in: the redirect to Cognito and the callback"
OURS, PEER = "this project", "mozilla-django-oidc"


def run(site: Site, options: Options) -> Outcome:
    environment = site.databases.make(108)
    peer_environment = {
        **environment,
        "DJANGO_SETTINGS_MODULE": "tools.bench.peers.settings",
        "BENCH_USERINFO": f"{environment['COGNITO_CLIENT_DOMAIN']}/oauth2/userInfo",
    }
    password = next(user.password for user in site.pool.config.people if user.username == USER)
    order = {"port": site.port, "pool_port": site.pool.config.port, "password": password}

    def seconds_each(login_path: str, environment: dict[str, str]) -> float:
        request = {**order, "login_path": login_path}
        return float(site.inside(__name__, request, environment)["seconds"])

    subjects = {
        OURS: partial(seconds_each, "/accounts/login/", environment),
        PEER: partial(seconds_each, "/oidc/authenticate/", peer_environment),
    }
    series = in_turn(subjects, options.tries, warm_up=False)
    outcome = Outcome(dict([result("sign-in CPU", lambda: ratio(series[OURS], series[PEER]))]))
    for name, item in series.items():
        milliseconds = Spread.of([1000 * seconds for seconds in item.values])
        outcome.figures.append(Figure(TABLE, name, milliseconds, "ms of CPU"))
    return outcome


def main(order: dict[str, Any]) -> dict[str, float]:
    """Return the CPU seconds of the application for each sign-in."""
    from django.test import Client  # requires that Django is set up

    client = Client(headers={"host": f"localhost:{order['port']}"})
    for _ in range(WARM_UP):
        _sign_in(client, order)
    return {"seconds": median(_sign_in(client, order) for _ in range(SIGN_INS))}


def _sign_in(client: Any, order: dict[str, Any]) -> float:
    client.cookies.clear()
    started = time.process_time()
    redirect = client.get(order["login_path"])
    seconds = time.process_time() - started
    browser = requests.Session()
    browser.trust_env = False
    user = (USER, order["password"], lambda form: "")
    callback = sign_in(redirect.headers["Location"], order["pool_port"], browser, user)
    started = time.process_time()
    response = client.get(callback)
    seconds += time.process_time() - started
    if response.status_code != 302 or "_auth_user_id" not in client.session:
        raise MeasurementError(f"{USER} could not sign in: status {response.status_code}")
    return seconds
