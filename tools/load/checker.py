"""Compares the ledger with the database and asks the site once more about signed-out tokens.

Imported after django.setup(), since it reads through the site's own models.
"""

from __future__ import annotations

import time

import requests

from accounts.models import Identity, Revocation, SignIn
from stats.models import Stat

from .ledger import KPI_PREFIX, Ledger

# Why sign-ins may end in a run: a person asked for each of these.
_ASKED_FOR = {
    SignIn.EndReason.SIGNED_OUT,
    SignIn.EndReason.EVERYWHERE,
    SignIn.EndReason.REPLACED,
}


def check(ledger: Ledger, sites: list[str]) -> list[str]:
    """Everything in the database, or said by one of `sites`, that contradicts the ledger."""
    return [
        *_writes(ledger),
        *_identities(ledger),
        *_sessions(ledger),
        *_revocations(ledger),
        *_signed_out_tokens(ledger, sites),
    ]


def _writes(ledger: Ledger) -> list[str]:
    stored = {
        stat.kpi: (f"{stat.value:.0f}", stat.created_by_id)
        for stat in Stat.objects.filter(kpi__startswith=KPI_PREFIX)
    }
    owners = dict(Identity.objects.values_list("subject", "user_id"))
    found = []
    for write in ledger.writes:
        if write.kpi not in stored:
            found.append(f"lost write: {write.kpi}")
        elif stored[write.kpi] != (write.value, owners.get(write.subject)):
            found.append(f"wrong write: {write.kpi} is {stored[write.kpi]}")
    known = {write.kpi for write in ledger.writes} | set(ledger.uncertain_writes)
    found += [f"write that nobody made: {kpi}" for kpi in stored.keys() - known]
    return found


def _identities(ledger: Ledger) -> list[str]:
    found = []
    rows = list(Identity.objects.values_list("subject", "username", "user_id"))
    if len({user for _, _, user in rows}) != len(rows):
        found.append("two identities share a user")
    for subject, username, _ in rows:
        if ledger.subjects.get(username) != subject:
            found.append(f"identity of {username} has another subject")
    return found


def _sessions(ledger: Ledger) -> list[str]:
    found = []
    ended = SignIn.objects.exclude(ended_at=None)
    for row in ended.exclude(end_reason__in=_ASKED_FOR):
        found.append(f"sign-in of {row.subject} ended without having been asked: {row.end_reason}")
    for subject, signed_in in ledger.signed_in.items():
        live = SignIn.objects.live().filter(subject=subject)
        # A sign-in whose answer was lost left a row whose cookie nobody has.
        most = int(signed_in) + ledger.uncertain_sign_ins[subject]
        if live.count() > most:
            found.append(f"{subject} has {live.count()} live sign-ins, at most {most} expected")
        if signed_in and not live.exists():
            found.append(f"{subject} is signed in, and no live sign-in says so")
        if left_at := ledger.left_everywhere.get(subject):
            revived = [row for row in live if row.signed_in_at.timestamp() < left_at - 60]
            if revived:
                found.append(f"revived sign-in of {subject}")
    return found


def _revocations(ledger: Ledger) -> list[str]:
    of_people = Revocation.objects.filter(kind=Revocation.Kind.PERSON)
    newest: dict[str, int] = {}
    for subject, not_before in of_people.values_list("subject", "not_before"):
        newest[subject] = max(not_before, newest.get(subject, 0))
    return [
        f"revocation of {token.subject}'s token is gone"
        for token in ledger.revoked
        if token.issued_at > newest.get(token.subject, 0)
    ]


def _signed_out_tokens(ledger: Ledger, sites: list[str]) -> list[str]:
    found = []
    for token in ledger.revoked:
        if token.expires_at < time.time() + 1:
            continue
        for site in sites:
            # The site answers to its own name alone, also when an instance is asked directly.
            headers = {"Authorization": f"Bearer {token.access_token}", "Host": "localhost"}
            answer = requests.get(f"{site}/api/user", headers=headers, timeout=40)
            if answer.status_code != 401:
                found.append(
                    f"signed-out token of {token.subject} is answered {answer.status_code}"
                )
    return found
