"""The checker of `make chaos`.

The ledger fixture agrees with the database; each test changes one part.
"""

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from django.utils import timezone

from accounts.models import Identity, Revocation, SignIn, User
from accounts.sessions import sign_out
from accounts.testing import mint_access_token
from stats.models import Stat
from tools.chaos.report import Result, markdown
from tools.load.checker import check
from tools.load.client import claims_of
from tools.load.ledger import Ledger, RecordedResponse, RevokedToken, Write

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
    assert check(ledger, [door.url]) == ["identity of ada has another subject"]


def test_unexpected_sign_out_is_found(ledger, door):
    SignIn.objects.live().update(ended_at=timezone.now(), end_reason=SignIn.EndReason.REFUSED)
    results = check(ledger, [door.url])
    assert any("ended unexpectedly: refused" in text for text in results)
    assert any("but has no live sign-in" in text for text in results)


def test_revived_sign_in_is_found(ledger, door):
    ended = SignIn.objects.filter(subject=ledger.subjects["grace"])
    assert ended.update(ended_at=None, end_reason="") == 1
    (results,) = check(ledger, [door.url])
    assert "has 1 live sign-ins, expected at most 0" in results


def test_accepted_revoked_token_is_found(ledger, door):
    door.status = 200
    subject = ledger.subjects["grace"]
    assert check(ledger, [door.url]) == [f"signed-out token of {subject} gets the response 200"]


def test_missing_revocation_is_found(ledger, door):
    Revocation.objects.all().delete()
    subject = ledger.subjects["grace"]
    assert check(ledger, [door.url]) == [f"revocation of {subject}'s token is gone"]


@pytest.mark.parametrize(
    ("seeded", "passed"),
    [
        (["lost write: a", "signed-out token of b gets the response 200", "something else"], True),
        (["lost write: a", "lost write: c"], False),
        (["signed-out token of b gets the response 200"] * 2, False),
        ([], False),
    ],
)
def test_run_passes_only_when_both_planted_faults_were_noticed(seeded, passed):
    planted = ["lost write: a", "signed-out token of b gets the response 200"]
    result = Result(1, 1, Ledger(), [], [], planted, seeded)
    assert result.passed is passed
    assert ("planted, but not found" in markdown(result)) is not passed


def test_failed_request_outside_of_faults_fails_the_run():
    ledger = Ledger(responses=[RecordedResponse(time.time(), 0.1, "look at profile", "500")])
    result = Result(1, 1, ledger, [], [], [], [])
    assert not result.passed
    assert "look at profile failed: 500" in markdown(result)
