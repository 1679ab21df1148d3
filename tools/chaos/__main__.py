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
from tools.load.person import HEARD_WITHIN, Person
from tools.rehearsal.instances import ROOT, Site
from tools.rehearsal.services import require

from .faults import faults, run_all
from .report import Result, markdown

WHOLE = 600.0  # seconds; the report of a shorter run does not replace that of a whole one


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=WHOLE)
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--report", type=Path, help="instead of docs/chaos.md, for a whole run")
    options = parser.parse_args()
    whole = options.seconds >= WHOLE
    report = options.report or ROOT / ("docs/chaos.md" if whole else ".local/chaos.md")
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
    people = [Person(name, site.url, site.pool, ledger) for name in names]
    for person in people:
        person.start()
    run_all(planned, seconds, say)
    for person in people:
        person.stop.set()
    for person in people:
        person.join(60)
    say("checking")
    os.environ.update(site.environment)
    import django

    django.setup()
    from tools.load.checker import check

    sites = [instance.url for instance in site.instances]
    last = sign_out_for_good(site, people[0])
    ledger.revoked.append(last)
    contradictions = check(ledger, sites)
    planted = plant(site, ledger, last)
    seeded = check(ledger, [instance.url for instance in site.instances])
    return Result(seconds, len(people), ledger, planned, contradictions, planted, seeded)


def sign_out_for_good(site: Site, person: Person) -> RevokedToken:
    """Somebody with a token that lives for an hour signs out everywhere."""
    from django.utils import timezone

    from accounts.models import Identity
    from accounts.sessions import sign_out

    site.pool.pool.configure(access_token_seconds=3600)
    access_token = site.pool.tokens_for(person.name)["access_token"]
    sign_out.sign_out_everywhere(Identity.objects.get(subject=person.subject).user)
    person.ledger.signed_in[person.subject] = False
    time.sleep(HEARD_WITHIN)
    claims = claims_of(access_token)
    now = timezone.now().timestamp()
    return RevokedToken(access_token, person.subject, claims["iat"], claims["exp"], now)


def plant(site: Site, ledger: Ledger, last: RevokedToken) -> list[str]:
    """Lose a write and revive a token; how the checker's findings of both have to begin."""
    from accounts.models import Revocation
    from stats.models import Stat

    lost = ledger.writes[0].kpi
    Stat.objects.filter(kpi=lost).delete()
    newest = Revocation.objects.filter(subject=last.subject, not_before__gte=last.issued_at)
    newest.delete()
    for instance in site.instances:  # whose processes remember: new ones read the table
        instance.reload()
    return [f"lost write: {lost}", f"signed-out token of {last.subject} is answered 200"]


if __name__ == "__main__":
    sys.exit(main())
