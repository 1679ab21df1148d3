"""Requests per second for 1, 2 and 4 processes, for docs/scaling.md.

    python -m tools.rehearsal.measure [--seconds 5] [--rounds 3]

Three servers run on one database, and their rounds are interleaved, so that other work on the
machine affects all of them. Requires wrk and an idle machine.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from dataclasses import dataclass
from statistics import median

import requests

from local_pool.testing import Seed

from .instances import Instance, Site
from .services import program, require

PROCESSES = (1, 2, 4)
CONNECTIONS = 16
_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Measurement:
    """Requests per second, median and 99th percentile in milliseconds, and a problem or ""."""

    rate: float
    p50: float
    p99: float
    problem: str


def wrk(url: str, headers: list[str], seconds: int) -> Measurement:
    options = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency"]
    options += [part for header in headers for part in ("-H", header)]
    command = [program("wrk"), *options, url]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def search(pattern: str) -> re.Match[str]:
        match = re.search(pattern, output)
        if match is None:
            raise RuntimeError(f"unexpected output of wrk:\n{output}")
        return match

    def percentile(number: int) -> float:
        match = search(rf"{number}%\s+([\d.]+)(us|ms|s)")
        return float(match[1]) * _MILLISECONDS[match[2]]

    problem = re.search(r"(?:Non-2xx|Socket errors).*", output)
    rate = float(search(r"Requests/sec:\s+([\d.]+)")[1])
    return Measurement(rate, percentile(50), percentile(99), problem[0] if problem else "")


def sign_in(site: Site) -> str:
    """Sign a user in, and return the Cookie header of the browser."""
    browser = requests.Session()
    start = browser.get(f"{site.url}/accounts/login/", allow_redirects=False, timeout=60)
    callback = site.pool.sign_in(start.headers["Location"], "ada", session=browser)
    browser.get(callback, allow_redirects=False, timeout=60)
    cookies = (cookie for cookie in browser.cookies if cookie.name in ("sessionid", "csrftoken"))
    return "Cookie: " + "; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    require("initdb", "redis-server", "nginx", "wrk")
    environment = {"WEB_CONCURRENCY": "1"}
    with Site(environment=environment, people=[Seed("ada", groups=("admins",))]) as site:
        site.manage("seed_stats")
        site.instances[1].end()
        servers = {1: site.instances[0]}
        for number in PROCESSES[1:]:
            environment = {**site.environment, "WEB_CONCURRENCY": str(number)}
            servers[number] = site.keep(Instance(site.folder, f"app-of-{number}", environment))
        host = "Host: localhost"
        bearer = f"Authorization: Bearer {site.pool.tokens_for('ada')['access_token']}"
        pages = {
            "start page, not signed in": ("/", [host]),
            "dashboard, signed in": ("/dashboard/", [host, sign_in(site)]),
            "`/api/stats`, 108 figures": ("/api/stats", [host, bearer]),
            "`/api/user`": ("/api/user", [host, bearer]),
        }
        for name, (path, headers) in pages.items():
            cells = [name]
            measured: dict[int, list[Measurement]] = {number: [] for number in PROCESSES}
            for number in PROCESSES * options.rounds:
                url = servers[number].url + path
                measured[number].append(wrk(url, headers, options.seconds))
            for number in PROCESSES:
                cells.append(_cell(measured[number]))
            sys.stdout.write(f"| {' | '.join(cells)} |\n")
            sys.stdout.flush()
    return 0


def _cell(rounds: list[Measurement]) -> str:
    if problems := [result.problem for result in rounds if result.problem]:
        return f"no figure: {problems[0]}"
    rate, p50, p99 = (
        median(getattr(result, name) for result in rounds) for name in ("rate", "p50", "p99")
    )
    return f"{rate:.0f} ({p50:.0f} / {p99:.0f} ms)"


if __name__ == "__main__":
    sys.exit(main())
