"""Compare the ledger with the database, and send requests with signed-out tokens.

Import it after django.setup(), because it uses the site's models.
"""

from __future__ import annotations

import time

import requests

from accounts.models import Identity, Revocation, SignIn, User
from accounts.models.sign_ins import APP_KEY_PREFIX
from stats.models import Stat

from .arrangement import TOKEN_SECONDS
from .ledger import KPI_PREFIX, Kind, Ledger

# The reasons for which a sign-in may end in a run: actions of its user. An evicted one may, too.
_USER_REASONS = {
    SignIn.EndReason.SIGNED_OUT,
    SignIn.EndReason.EVERYWHERE,
    SignIn.EndReason.REPLACED,
}


def check(ledger: Ledger, sites: list[str]) -> list[str]:
    """Return the contradictions between the ledger, the database and the responses of `sites`."""
    return [
        *_writes(ledger),
        *_identities(ledger),
        *_accounts(ledger),
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
    findings = []
    for write in ledger.writes:
        if write.kpi not in stored:
            findings.append(f"lost write: {write.kpi}")
        elif stored[write.kpi] != (write.value, owners.get(write.subject)):
            findings.append(f"wrong write: {write.kpi} is {stored[write.kpi]}")
    expected = {write.kpi for write in ledger.writes} | set(ledger.uncertain_writes)
    findings += [f"unknown write: {kpi}" for kpi in stored.keys() - expected]
    return findings


def _identities(ledger: Ledger) -> list[str]:
    findings = []
    identities = list(Identity.objects.values_list("subject", "username", "user_id"))
    if len({user for _, _, user in identities}) != len(identities):
        findings.append("two identities share a user")
    for subject, username, _ in identities:
        if ledger.subjects.get(username) != subject:
            findings.append(f"identity of {username} has another subject")
    return findings


def _accounts(ledger: Ledger) -> list[str]:
    """Find pool users with several identities or users, and users without a pool user."""
    findings = []
    for username, subject in ledger.subjects.items():
        identities = Identity.objects.filter(subject=subject)
        users = {
            *identities.values_list("user_id", flat=True),
            *SignIn.objects.filter(subject=subject).values_list("user_id", flat=True),
        }
        if len(identities) > 1 or len(users) > 1:
            what = f"{username} has {len(identities)} identities and {len(users)} users"
            findings.append(f"{Kind.SECOND_ACCOUNT}: {what}")
    for user in User.objects.filter(identities=None):
        findings.append(f"{Kind.SECOND_ACCOUNT}: the user {user.username} has no identity")
    return findings


def _sessions(ledger: Ledger) -> list[str]:
    findings = []
    sign_ins = SignIn.objects.filter(subject__in=ledger.subjects.values())
    ended = sign_ins.exclude(ended_at=None)
    for sign_in in ended.exclude(end_reason__in=_USER_REASONS):
        is_refused = sign_in.end_reason == SignIn.EndReason.REFUSED
        if not (is_refused and sign_in.origin_jti in ledger.evicted):
            what = f"sign-in of {sign_in.subject} ended unexpectedly: {sign_in.end_reason}"
            findings.append(f"{Kind.UNWANTED_SIGN_OUT}: {what}")
    in_browsers = sign_ins.exclude(key__startswith=APP_KEY_PREFIX)
    for subject, signed_in in ledger.signed_in.items():
        live = in_browsers.live().filter(subject=subject)
        # If the response to a sign-in was lost, its row exists, but no browser has the cookie.
        expected = int(signed_in) + ledger.uncertain_sign_ins[subject]
        if live.count() > expected:
            findings.append(
                f"{subject} has {live.count()} live sign-ins, expected at most {expected}"
            )
        if signed_in and not live.exists() and not _last_was_evicted(ledger, subject):
            what = f"{subject} is signed in, but has no live sign-in"
            findings.append(f"{Kind.UNWANTED_SIGN_OUT}: {what}")
        if left_at := ledger.left_everywhere.get(subject):
            all_live = sign_ins.live().filter(subject=subject)
            revived = [item for item in all_live if item.signed_in_at.timestamp() < left_at - 60]
            if revived:
                findings.append(f"revived sign-in of {subject}")
    for sign_in in sign_ins.live().filter(origin_jti__in=ledger.evicted):
        renewed_at = sign_in.access_expires_at.timestamp() - TOKEN_SECONDS
        if renewed_at > ledger.evicted[sign_in.origin_jti].at + 1:  # whole seconds
            what = f"evicted sign-in of {sign_in.subject} was renewed"
            findings.append(f"{Kind.WRONG_RESPONSE}: {what}")
    return findings


def _last_was_evicted(ledger: Ledger, subject: str) -> bool:
    in_browsers = SignIn.objects.exclude(key__startswith=APP_KEY_PREFIX)
    last = in_browsers.filter(subject=subject).order_by("signed_in_at").last()
    return last is not None and last.origin_jti in ledger.evicted


def _revocations(ledger: Ledger) -> list[str]:
    of_people = Revocation.objects.filter(kind=Revocation.Kind.USER)
    newest: dict[str, int] = {}
    for subject, not_before in of_people.values_list("subject", "not_before"):
        newest[subject] = max(not_before, newest.get(subject, 0))
    return [
        f"revocation of {token.subject}'s token is gone"
        for token in ledger.revoked
        if token.issued_at > newest.get(token.subject, 0)
    ]


def _signed_out_tokens(ledger: Ledger, sites: list[str]) -> list[str]:
    findings = []
    for token in ledger.revoked:
        if token.expires_at < time.time() + 1:
            continue
        for site in sites:
            # The site only accepts its own host name, even on the port of an instance.
            headers = {"Authorization": f"Bearer {token.access_token}", "Host": "localhost"}
            response = requests.get(f"{site}/api/user", headers=headers, timeout=40)
            if response.status_code != 401:
                what = f"signed-out token of {token.subject} gets {response.status_code}"
                findings.append(f"{Kind.WRONG_RESPONSE}: {what}")
    return findings
