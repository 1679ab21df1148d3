"""`make chaos`: load, faults and changes of the pool, checker, report.

python -m tools.chaos [--seconds 600] [--people 10] [--report FILE]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from local_pool.testing import Seed
from tools.load.arrangement import say
from tools.load.client import LoadClient, stop
from tools.load.ledger import Ledger
from tools.load.user import LoadUser, StayingUser
from tools.rehearsal.instances import ROOT, Site
from tools.rehearsal.services import require

from .faults import faults, run_all
from .planted import USERS, change_database, run_weaknesses, sign_out_with_long_token
from .pool_changes import ENVIRONMENT, TRACKING_POOL, use_both_secret_sources
from .report import Result, markdown
from .weaknesses import WEAKNESSES

FULL_SECONDS = 600.0  # a shorter run does not replace the report of a full one


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=FULL_SECONDS)
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--report", type=Path, help="default: docs/chaos.md for a full run")
    options = parser.parse_args()
    is_full = options.seconds >= FULL_SECONDS
    report = options.report or ROOT / ("docs/chaos.md" if is_full else ".local/chaos.md")
    report.parent.mkdir(exist_ok=True)
    number_of_users = options.people + len(USERS) * len(WEAKNESSES)
    names = [f"person-{number}" for number in range(number_of_users)]
    seeds = [Seed(name, email=f"{name}@example.com", groups=("editors",)) for name in names]
    require("initdb", "redis-server", "nginx")
    say("starting PostgreSQL, Redis, a pool, two instances and nginx")
    with Site(environment=ENVIRONMENT, people=seeds, **TRACKING_POOL) as site:
        use_both_secret_sources(site)
        result = run(site, names[: options.people], names[options.people :], options.seconds)
        report.write_text(markdown(result), encoding="utf-8")
        if not result.passed:
            (ROOT / ".local").mkdir(exist_ok=True)
            (ROOT / ".local/chaos.log").write_text(site.logs(), encoding="utf-8")
    say(f"{'passed' if result.passed else 'FAILED'}: {report}")
    return 0 if result.passed else 1


def run(site: Site, names: list[str], names_of_weaknesses: list[str], seconds: float) -> Result:
    ledger = Ledger(subjects={name: site.pool.get_user(name).sub for name in names})
    planned = faults(site, ledger)
    users: list[LoadClient] = [
        (LoadUser if number % 2 else StayingUser)(name, site.url, site.pool, ledger)
        for number, name in enumerate(names)
    ]
    for user in users:
        user.start()
    run_all(planned, seconds, say)
    stop(users)
    say("checking")
    os.environ.update(site.environment)
    import django

    django.setup()
    from tools.load.checker import check

    last = sign_out_with_long_token(site, ledger, names[0])
    ledger.revoked.append(last)
    contradictions = check(ledger, [instance.url for instance in site.instances])
    planted = change_database(site, ledger, last)
    planted += run_weaknesses(site, names_of_weaknesses, say)
    return Result(seconds, len(users), ledger, planned, contradictions, planted)


if __name__ == "__main__":
    sys.exit(main())
