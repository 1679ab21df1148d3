"""`make chaos`: load, faults, checker, report.

python -m tools.chaos [--seconds 600] [--people 10] [--report FILE]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from local_pool.testing import Seed
from tools.load.arrangement import POOL, say
from tools.load.client import claims_of
from tools.load.ledger import Ledger, RevokedToken
from tools.load.user import REVOCATION_SECONDS, LoadUser
from tools.rehearsal.instances import ROOT, Site
from tools.rehearsal.services import require

from .faults import faults, run_all
from .report import Result, markdown

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
    names = [f"person-{number}" for number in range(options.people)]
    seeds = [Seed(name, email=f"{name}@example.com", groups=("editors",)) for name in names]
    environment = {"SPA_COMPAT": "1"}
    require("initdb", "redis-server", "nginx")
    say("starting PostgreSQL, Redis, a pool, two instances and nginx")
    with Site(environment=environment, people=seeds, **POOL) as site:
        result = run(site, names, options.seconds)
        report.write_text(markdown(result), encoding="utf-8")
        if not result.passed:
            (ROOT / ".local").mkdir(exist_ok=True)
            (ROOT / ".local/chaos.log").write_text(site.logs(), encoding="utf-8")
    say(f"{'passed' if result.passed else 'FAILED'}: {report}")
    return 0 if result.passed else 1


def run(site: Site, names: list[str], seconds: float) -> Result:
    ledger = Ledger(subjects={name: site.pool.get_user(name).sub for name in names})
    planned = faults(site)
    users = [LoadUser(name, site.url, site.pool, ledger) for name in names]
    for user in users:
        user.start()
    run_all(planned, seconds, say)
    for user in users:
        user.stop.set()
    for user in users:
        user.join(60)
    say("checking")
    os.environ.update(site.environment)
    import django

    django.setup()
    from tools.load.checker import check

    sites = [instance.url for instance in site.instances]
    last = sign_out_with_long_token(site, users[0])
    ledger.revoked.append(last)
    contradictions = check(ledger, sites)
    planted = plant(site, ledger, last)
    seeded = check(ledger, [instance.url for instance in site.instances])
    return Result(seconds, len(users), ledger, planned, contradictions, planted, seeded)


def sign_out_with_long_token(site: Site, user: LoadUser) -> RevokedToken:
    """Sign a user out everywhere who has an access token with a lifetime of one hour."""
    from django.utils import timezone

    from accounts.models import Identity
    from accounts.sessions import sign_out

    site.pool.pool.configure(access_token_seconds=3600)
    access_token = site.pool.tokens_for(user.name)["access_token"]
    sign_out.sign_out_everywhere(Identity.objects.get(subject=user.subject).user)
    user.ledger.signed_in[user.subject] = False
    time.sleep(REVOCATION_SECONDS)
    claims = claims_of(access_token)
    now = timezone.now().timestamp()
    return RevokedToken(access_token, user.subject, claims["iat"], claims["exp"], now)


def plant(site: Site, ledger: Ledger, last: RevokedToken) -> list[str]:
    """Delete a write and revive a token; return the start of the findings that must follow."""
    from accounts.models import Revocation
    from stats.models import Stat

    kpi = ledger.writes[0].kpi
    Stat.objects.filter(kpi=kpi).delete()
    newest = Revocation.objects.filter(subject=last.subject, not_before__gte=last.issued_at)
    newest.delete()
    for instance in site.instances:  # new processes read the table again
        instance.reload()
    return [f"lost write: {kpi}", f"signed-out token of {last.subject} gets the response 200"]


if __name__ == "__main__":
    sys.exit(main())
