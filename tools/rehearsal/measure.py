"""Requests per second for 1, 2 and 4 processes, for docs/scaling.md.

    python -m tools.rehearsal.measure [--seconds 5] [--rounds 3]

Three servers run side by side on one database, and rounds are interleaved, so that whatever else
the machine does befalls all alike. Needs wrk, and a machine with nothing else to do.
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
class Measured:
    """Requests per second; median and 99th percentile in milliseconds; what failed."""

    rate: float
    p50: float
    p99: float
    problem: str


def wrk(url: str, headers: list[str], seconds: int) -> Measured:
    options = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency"]
    options += [part for header in headers for part in ("-H", header)]
    command = [program("wrk"), *options, url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def found(pattern: str) -> re.Match[str]:
        match = re.search(pattern, said)
        if match is None:
            raise RuntimeError(f"wrk said something else:\n{said}")
        return match

    def percentile(number: int) -> float:
        match = found(rf"{number}%\s+([\d.]+)(us|ms|s)")
        return float(match[1]) * _MILLISECONDS[match[2]]

    problem = re.search(r"(?:Non-2xx|Socket errors).*", said)
    rate = float(found(r"Requests/sec:\s+([\d.]+)")[1])
    return Measured(rate, percentile(50), percentile(99), problem[0] if problem else "")


def sign_in(site: Site) -> str:
    """The Cookie header of somebody signed in."""
    browser = requests.Session()
    start = browser.get(f"{site.url}/accounts/login/", allow_redirects=False, timeout=60)
    callback = site.pool.sign_in(start.headers["Location"], "ada", session=browser)
    browser.get(callback, allow_redirects=False, timeout=60)
    ours = (cookie for cookie in browser.cookies if cookie.name in ("sessionid", "csrftoken"))
    return "Cookie: " + "; ".join(f"{cookie.name}={cookie.value}" for cookie in ours)


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
            changed = {**site.environment, "WEB_CONCURRENCY": str(number)}
            servers[number] = site.keep(Instance(site.folder, f"app-of-{number}", changed))
        host = "Host: localhost"
        bearer = f"Authorization: Bearer {site.pool.tokens_for('ada')['access_token']}"
        rows = {
            "start page, nobody signed in": ("/", [host]),
            "dashboard, signed in": ("/dashboard/", [host, sign_in(site)]),
            "`/api/stats`, 108 figures": ("/api/stats", [host, bearer]),
            "`/api/user`": ("/api/user", [host, bearer]),
        }
        for name, (path, headers) in rows.items():
            cells = [name]
            measured: dict[int, list[Measured]] = {number: [] for number in PROCESSES}
            for number in PROCESSES * options.rounds:
                address = servers[number].url + path
                measured[number].append(wrk(address, headers, options.seconds))
            for number in PROCESSES:
                cells.append(_cell(measured[number]))
            sys.stdout.write(f"| {' | '.join(cells)} |\n")
            sys.stdout.flush()
    return 0


def _cell(rounds: list[Measured]) -> str:
    if problems := [each.problem for each in rounds if each.problem]:
        return f"no figure: {problems[0]}"
    rate, p50, p99 = (
        median(getattr(each, name) for each in rounds) for name in ("rate", "p50", "p99")
    )
    return f"{rate:.0f} ({p50:.0f} / {p99:.0f} ms)"


if __name__ == "__main__":
    sys.exit(main())
