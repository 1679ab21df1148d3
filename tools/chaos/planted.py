"""Errors that are planted after a run, to test the checker."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tools.load.client import LoadClient, claims_of, stop
from tools.load.ledger import Kind, Ledger, RevokedToken
from tools.load.token_user import TokenUser
from tools.load.user import REVOCATION_SECONDS, LoadUser, StayingUser
from tools.rehearsal.instances import Site

from . import pool_changes
from .weaknesses import WEAKNESSES, Weakness

TOKEN_SECONDS = 6  # shorter than in a run, so that each browser renews its tokens in a phase
PHASE_SECONDS = 8.0  # before and after the changes of the pool


class ReturningUser(LoadUser):
    """A user who signs in several times, before and after the changes of the pool."""

    actions = (("look_at_profile", 1), ("sign_out", 1))


# The last one has no browser: a weakness that prevents sign-ins stops the other two.
USERS = (StayingUser, ReturningUser, TokenUser)


@dataclass(frozen=True)
class Planted:
    """A planted error, the start of the finding that must follow, and the actual findings."""

    what: str
    noticed_by: str
    findings: list[str]

    @property
    def finding(self) -> str:
        """Return the expected finding, or ""."""
        return next((item for item in self.findings if item.startswith(self.noticed_by)), "")


def sign_out_with_long_token(site: Site, ledger: Ledger, name: str) -> RevokedToken:
    """Sign a user out everywhere who has an access token with a lifetime of one hour."""
    from django.utils import timezone

    from accounts.models import Identity
    from accounts.sessions import sign_out

    subject = ledger.subjects[name]
    site.pool.pool.configure(access_token_seconds=3600)
    access_token = site.pool.tokens_for(name)["access_token"]
    sign_out.sign_out_everywhere(Identity.objects.get(subject=subject).user)
    ledger.signed_in[subject] = False
    time.sleep(REVOCATION_SECONDS)
    claims = claims_of(access_token)
    now = timezone.now().timestamp()
    return RevokedToken(access_token, subject, claims["iat"], claims["exp"], now)


def change_database(site: Site, ledger: Ledger, last: RevokedToken) -> list[Planted]:
    """Delete a write, revive a token, and run the checker."""
    from accounts.models import Revocation
    from stats.models import Stat
    from tools.load.checker import check

    kpi = ledger.writes[0].kpi
    Stat.objects.filter(kpi=kpi).delete()
    newest = Revocation.objects.filter(subject=last.subject, not_before__gte=last.issued_at)
    newest.delete()
    for instance in site.instances:  # new processes read the table again
        instance.reload()
    findings = check(ledger, [instance.url for instance in site.instances])
    revived = f"{Kind.WRONG_RESPONSE}: signed-out token of {last.subject} gets 200"
    return [
        Planted("an acknowledged write is deleted", f"lost write: {kpi}", findings),
        Planted("a revocation is deleted", revived, findings),
    ]


def run_weaknesses(site: Site, names: list[str], say: Callable[[str], None]) -> list[Planted]:
    """For each weakness, change the pool while some of these users use a weakened instance."""
    planted = []
    size = len(USERS)
    site.pool.pool.configure(access_token_seconds=TOKEN_SECONDS, id_token_seconds=TOKEN_SECONDS)
    for number, weakness in enumerate(WEAKNESSES):
        say(f"planted: {weakness.description}")
        findings = _run_phase(site, names[size * number :][:size], weakness)
        planted.append(Planted(weakness.description, weakness.noticed_by, findings))
    return planted


def _run_phase(site: Site, names: list[str], weakness: Weakness) -> list[str]:
    from tools.load.checker import check

    ledger = Ledger(subjects={name: site.pool.get_user(name).sub for name in names})
    users: list[LoadClient] = [
        make(name, site.url, site.pool, ledger) for make, name in zip(USERS, names, strict=True)
    ]
    changes = {
        key: value.format(issuer=site.pool.issuer) for key, value in weakness.environment.items()
    }
    instance = site.start_weakened(Weakness.__module__, weakness.name, **changes)
    with site.served_by(instance):
        for user in users:
            user.start()
        time.sleep(PHASE_SECONDS)
        site.pool.do("issuer updated")
        site.pool.do("rotate-secret")
        pool_changes.retire_old_secret(site)
        time.sleep(PHASE_SECONDS)
        stop(users)
    site.pool.do("issuer original")
    failed = [item for item in ledger.responses if item.problem]
    return [
        *ledger.violations,
        *(f"failed request: {response.what}: {response.problem}" for response in failed),
        *check(ledger, []),
    ]
