"""Browsers that sign in again and again, each as a user of its own.

It is a separate process (`python -m tools.bench.browsers`, JSON in and out). The hosted UI is left
out: a browser reads the redirect to it, and calls the callback with a code for stub_pool.py.
"""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from http.client import HTTPConnection, HTTPException
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from .load import ROOT
from .measuring import MeasurementError


def callback_path(location: str, user: str) -> str:
    """Return the path of the callback, after a redirect to `location` and a sign-in as `user`."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    parameters = {"code": f"{user}.{query.get('nonce', '')}", "state": query["state"]}
    return f"{urlsplit(query['redirect_uri']).path}?{urlencode(parameters)}"


def sign_in(connection: HTTPConnection, login_path: str, user: str) -> None:
    """Sign a user in. Raises MeasurementError unless the session ID changes."""
    location, cookies = _get(connection, login_path, {})
    _, changed = _get(connection, callback_path(location, user), cookies)
    if changed.get("sessionid", "") in ("", cookies.get("sessionid")):
        raise MeasurementError("a browser was not signed in")


def _get(
    connection: HTTPConnection, path: str, cookies: dict[str, str]
) -> tuple[str, dict[str, str]]:
    pairs = "; ".join(f"{name}={value}" for name, value in cookies.items())
    connection.request("GET", path, headers={"Host": "localhost", "Cookie": pairs})
    response = connection.getresponse()
    response.read()
    if response.status != 302:
        raise MeasurementError(f"status {response.status} instead of 302")
    received = SimpleCookie("; ".join(response.headers.get_all("Set-Cookie", [])))
    values = {name: morsel.coded_value for name, morsel in received.items()}
    return response.headers["Location"], values


def sign_in_repeatedly(
    port: int, login_path: str, users: str, browsers: int, seconds: float
) -> dict[str, float]:
    """Return the number of sign-ins and their seconds. Raises MeasurementError.

    `users` begins the names of the users, because the peers have one table of them.
    """
    counts: Counter[str] = Counter()
    problems: list[str] = []
    started = time.perf_counter()

    def browse(user: str) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            while not counts[user] or time.perf_counter() - started < seconds:
                sign_in(connection, login_path, user)
                counts[user] += 1
        except (MeasurementError, HTTPException, OSError) as error:
            problems.append(f"{type(error).__name__}: {error}")
        finally:
            connection.close()

    names = [f"{users}-{number}" for number in range(browsers)]
    threads = [threading.Thread(target=browse, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise MeasurementError(problems[0])
    return {"sign_ins": counts.total(), "seconds": time.perf_counter() - started}


def in_another_process(**order: Any) -> dict[str, float]:
    """Return the result of `sign_in_repeatedly` in a new process. Raises MeasurementError."""
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if done.returncode:
        raise MeasurementError(done.stderr.strip().rpartition("\n")[2])
    result: dict[str, float] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    json.dump(sign_in_repeatedly(**json.load(sys.stdin)), sys.stdout)
