"""The checker of `make chaos`.

The ledger fixture agrees with the database; each test changes one part.
"""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from django.utils import timezone

from accounts.models import Identity, Revocation, SignIn, User
from accounts.models.sign_ins import APP_KEY_PREFIX
from accounts.sessions import sign_out
from accounts.testing import mint_access_token
from accounts.tokens import revocation_feed
from stats.models import Stat
from tests.imports import ROOT
from tools.chaos.faults import Fault
from tools.chaos.planted import Planted
from tools.chaos.report import REQUIRED_ACTIONS, Result, markdown
from tools.load.arrangement import TOKEN_SECONDS
from tools.load.checker import check
from tools.load.client import claims_of
from tools.load.ledger import (
    STALE_SECONDS,
    Eviction,
    Kind,
    Ledger,
    Outage,
    RecordedResponse,
    RevokedToken,
    Write,
)
from tools.load.user import REVOCATION_SECONDS

pytestmark = pytest.mark.django_db


class Door:
    """A fake instance that responds to every token with one status."""

    def __init__(self) -> None:
        self.status = 401
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(door.status)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def door() -> Iterator[Door]:
    made = Door()
    thread = Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def ledger(cognito_client) -> Ledger:
    """A ledger: ada wrote a figure and is signed in; grace has signed out everywhere."""
    ada = cognito_client("ada", groups=["editors"]).user
    grace = cognito_client("grace").user
    subjects = dict(Identity.objects.values_list("username", "subject"))
    Stat.objects.create(kpi="load ada 1", year=2026, month=1, value=7, created_by=ada)
    token = mint_access_token("grace")
    sign_out.sign_out_everywhere(grace)
    claims = claims_of(token)
    return Ledger(
        writes=[Write("load ada 1", "7", subjects["ada"])],
        revoked=[RevokedToken(token, subjects["grace"], claims["iat"], claims["exp"], time.time())],
        left_everywhere={subjects["grace"]: time.time()},
        subjects=subjects,
        signed_in={subjects["ada"]: True, subjects["grace"]: False},
    )


def test_no_finding_if_ledger_and_database_agree(ledger, door):
    assert check(ledger, [door.url]) == []


def test_lost_write_is_found(ledger, door):
    Stat.objects.all().delete()
    assert check(ledger, [door.url]) == ["lost write: load ada 1"]


def test_write_with_another_value_or_author_is_found(ledger, door):
    Stat.objects.update(value=8)
    assert check(ledger, [door.url])[0].startswith("wrong write: load ada 1")
    Stat.objects.update(value=7, created_by=User.objects.get(identities__username="grace"))
    assert check(ledger, [door.url])[0].startswith("wrong write: load ada 1")


def test_unknown_write_is_found_and_uncertain_write_is_not(ledger, door):
    Stat.objects.create(kpi="load ada 2", year=2026, month=1, value=7)
    assert check(ledger, [door.url]) == ["unknown write: load ada 2"]
    ledger.uncertain_writes.append("load ada 2")
    assert check(ledger, [door.url]) == []


def test_identity_of_another_user_is_found(ledger, door):
    ledger.subjects["ada"] = "another subject"
    assert "identity of ada has another subject" in check(ledger, [door.url])


def test_second_identity_of_a_pool_user_is_found(ledger, door):
    second = User.objects.create(username="second")
    subject = ledger.subjects["ada"]
    Identity.objects.create(pool_id="eu-west-1_Other", subject=subject, username="ada", user=second)
    assert "second account: ada has 2 identities and 2 users" in check(ledger, [door.url])


def test_sign_in_of_another_user_with_the_same_subject_is_found(ledger, door):
    ended = SignIn.objects.filter(subject=ledger.subjects["grace"])
    ended.update(user=User.objects.get(identities__username="ada"))
    assert check(ledger, [door.url]) == ["second account: grace has 1 identities and 2 users"]


def test_user_without_an_identity_is_found(ledger, door):
    User.objects.create(username="second")
    expected = "second account: the user second has no identity"
    assert check(ledger, [door.url]) == [expected]


def end_sign_in_of_ada(reason):
    SignIn.objects.live().update(ended_at=timezone.now(), end_reason=reason)


def evict_ada(ledger, seconds_ago=1):
    """Record in the ledger that the pool has evicted the sign-in of ada."""
    sign_in = SignIn.objects.get(subject=ledger.subjects["ada"])
    eviction = Eviction(sign_in.subject, time.time() - seconds_ago)
    ledger.evicted[sign_in.origin_jti] = eviction
    return sign_in


def test_unwanted_sign_out_is_found(ledger, door):
    end_sign_in_of_ada(SignIn.EndReason.REFUSED)
    first, second = check(ledger, [door.url])
    subject = ledger.subjects["ada"]
    assert first == f"unwanted sign-out: sign-in of {subject} ended unexpectedly: refused"
    assert second == f"unwanted sign-out: {subject} is signed in, but has no live sign-in"


def test_eviction_excuses_only_the_refused_renewal_of_that_sign_in(ledger, door):
    evict_ada(ledger)
    end_sign_in_of_ada(SignIn.EndReason.REFUSED)
    assert check(ledger, [door.url]) == []
    SignIn.objects.filter(subject=ledger.subjects["ada"]).update(origin_jti="another")
    assert len(check(ledger, [door.url])) == 2


def test_eviction_excuses_no_other_reason(ledger, door):
    evict_ada(ledger)
    end_sign_in_of_ada(SignIn.EndReason.UNVERIFIED)
    (finding,) = check(ledger, [door.url])
    assert finding.endswith("ended unexpectedly: unverified")


@pytest.mark.parametrize(("seconds_after_eviction", "is_found"), [(-5, False), (5, True)])
def test_renewal_of_an_evicted_sign_in_is_found(ledger, door, seconds_after_eviction, is_found):
    sign_in = evict_ada(ledger, seconds_ago=10)
    renewed_at = timezone.now() + timedelta(seconds=seconds_after_eviction - 10)
    expires_at = renewed_at + timedelta(seconds=TOKEN_SECONDS)
    SignIn.objects.filter(pk=sign_in.pk).update(access_expires_at=expires_at)
    expected = f"wrong response: evicted sign-in of {sign_in.subject} was renewed"
    assert check(ledger, [door.url]) == ([expected] if is_found else [])


@pytest.mark.parametrize(
    ("subject", "seconds_before_eviction", "is_excused"),
    [("ada", 1, True), ("ada", -1, False), ("grace", 1, False)],
)
def test_sign_out_is_wanted_after_an_eviction_of_this_sign_in(
    subject, seconds_before_eviction, is_excused
):
    ledger = Ledger(evicted={"origin": Eviction("ada", 100.0)})
    assert ledger.was_evicted(subject, 100.0 - seconds_before_eviction) is is_excused


def test_revived_sign_in_is_found(ledger, door):
    ended = SignIn.objects.filter(subject=ledger.subjects["grace"])
    assert ended.update(ended_at=None, end_reason="") == 1
    (results,) = check(ledger, [door.url])
    assert "has 1 live sign-ins, expected at most 0" in results


def test_sign_in_of_an_app_is_not_one_of_the_browser(ledger, door):
    browser = SignIn.objects.get(subject=ledger.subjects["ada"])
    values = {field: getattr(browser, field) for field in ("user", "subject", "issuer", "pool_id")}
    times = {field: getattr(browser, field) for field in ("access_expires_at", "renew_at")}
    SignIn.objects.create(key=f"{APP_KEY_PREFIX}1", **values, **times)
    assert check(ledger, [door.url]) == []
    SignIn.objects.filter(pk=browser.pk).update(ended_at=timezone.now(), end_reason="signed_out")
    (finding,) = check(ledger, [door.url])
    assert finding.endswith("is signed in, but has no live sign-in")


def test_accepted_revoked_token_is_found(ledger, door):
    door.status = 200
    subject = ledger.subjects["grace"]
    assert check(ledger, [door.url]) == [f"wrong response: signed-out token of {subject} gets 200"]


def test_missing_revocation_is_found(ledger, door):
    Revocation.objects.all().delete()
    subject = ledger.subjects["grace"]
    assert check(ledger, [door.url]) == [f"revocation of {subject}'s token is gone"]


OUTAGE = Outage(began=100.0, ended=105.0)


@pytest.mark.parametrize(
    ("revoked_at", "sent_at", "is_excused"),
    [
        (99.0, 101.0, True),
        (99.0, 108.9, True),
        (99.0, 109.1, False),  # a process refuses all tokens if it cannot read for ten seconds
        (103.0, 110.9, True),
        (103.0, 111.1, False),  # the database was read again
        (98.0, 99.9, False),  # before the outage
    ],
)
def test_only_an_outage_of_the_database_excuses_an_accepted_token(revoked_at, sent_at, is_excused):
    assert Ledger(database_outages=[OUTAGE]).may_be_unread(revoked_at, sent_at) is is_excused
    assert not Ledger().may_be_unread(revoked_at, sent_at)


def test_limits_of_the_checker_are_those_of_the_site():
    assert STALE_SECONDS == revocation_feed.MAX_STALENESS_SECONDS
    assert REVOCATION_SECONDS == revocation_feed.READ_INTERVAL


def result(**changes: object) -> Result:
    """Return the result of a run that passes, with these changes."""
    counts = Counter(dict.fromkeys(REQUIRED_ACTIONS, 1))
    planted = [Planted("a write is deleted", "lost write: a", ["other", "lost write: a"])]
    return replace(Result(1, 1, Ledger(counts=counts), [], [], planted), **changes)


def test_run_passes():
    assert result().passed
    assert "| a write is deleted | lost write: a |" in markdown(result())


@pytest.mark.parametrize("findings", [[], ["lost write: c"]])
def test_unnoticed_planted_error_fails_the_run(findings):
    bad = result(planted=[Planted("a write is deleted", "lost write: a", findings)])
    assert not bad.passed
    actual = findings[0] if findings else "-"
    expected = f"- planted, but not found: a write is deleted (findings: {actual})"
    assert expected in markdown(bad)


@pytest.mark.parametrize("action", REQUIRED_ACTIONS)
def test_run_without_a_required_action_fails(action):
    bad = result()
    del bad.ledger.counts[action]
    assert not bad.passed
    assert f"- never happened: {action}" in markdown(bad)


@pytest.mark.parametrize("kind", Kind)
def test_violation_fails_the_run_and_is_counted_by_kind(kind):
    bad = result(contradictions=[f"{kind}: from the database"])
    bad.ledger.violation(kind, "from a response")
    assert not bad.passed
    assert {other: bad.count(other) for other in Kind} == dict.fromkeys(Kind, 0) | {kind: 2}
    assert f"- {kind}: from a response" in markdown(bad)


@pytest.mark.parametrize(("must_not_show", "passed"), [(False, True), (True, False)])
def test_only_a_visible_fault_excuses_a_failed_request(must_not_show, passed):
    now = time.time()
    fault = Fault("a fault", lambda: None, must_not_show=must_not_show)
    fault.began, fault.ended = now - 5, now + 5
    ledger = result().ledger
    ledger.responses.append(RecordedResponse(now, 0.1, "GET /profile/", "500"))
    during = result(ledger=ledger, faults=[fault])
    assert during.passed is passed
    assert ("GET /profile/ failed: 500" in markdown(during)) is not passed
    assert not result(ledger=ledger).passed


def test_every_weakness_replaces_something_that_exists():
    code = "from tools.chaos.weaknesses import WEAKNESSES\nfor item in WEAKNESSES: item.patch()"
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": ""}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
