import unittest
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model
from freezegun import freeze_time

from accounts.cognito import errors
from accounts.provider import provider
from accounts.testing import (
    fake_cognito,
    mint_access_token,
    mint_id_token,
    mint_machine_token,
    signed_in,
    subject_of,
)

pytestmark = pytest.mark.django_db


def test_signed_in_client_can_open_pages_and_call_the_api(cognito_client):
    client = cognito_client("ada", groups=["admins"], scopes=["stats/read"])
    assert client.get("/profile/").status_code == 200
    caller = client.get("/api/user").json()
    assert caller["identity"]["userName"] == "ada"
    assert caller["data"]["groups"] == ["admins"]
    assert caller["data"]["scopes"] == ["stats/read"]


def by_freezegun(instant):
    return freeze_time(instant)


def by_time_machine(instant):
    return time_machine.travel(instant, tick=False)


@pytest.mark.parametrize("freeze", [by_freezegun, by_time_machine])
@pytest.mark.parametrize("instant", ["2024-03-01 12:00", "2061-03-01 12:00"])
def test_tokens_expire_in_frozen_time(cognito_client, freeze, instant):
    """Any instant works, and a test can let the time pass that it needs."""
    start = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    with freeze(start):
        client = cognito_client("ada")
        assert client.get("/profile/").status_code == 200
        assert client.get("/api/user").status_code == 200
    with freeze(start + timedelta(hours=2)):
        refused = client.get("/api/user")
        assert (refused.status_code, refused.json()["code"]) == (401, "token_expired")
        assert client.get("/profile/").status_code == 200  # renewed
    assert cognito_client("ada").get("/api/user").status_code == 200


def test_clock_can_move_while_it_is_frozen_or_ticks(cognito_client):
    def expires(move):
        client = cognito_client("ada")
        assert client.get("/api/user").status_code == 200
        move(timedelta(hours=2))
        assert client.get("/api/user").json()["code"] == "token_expired"

    with freeze_time("2031-03-01 12:00") as frozen:
        expires(frozen.tick)
    with time_machine.travel("2031-03-01T12:00+00:00", tick=True) as traveller:
        expires(traveller.shift)


def test_two_usernames_are_two_users(cognito_client):
    ada, linus = cognito_client("ada"), cognito_client("linus")
    assert ada.user != linus.user
    assert get_user_model().objects.count() == 2


def test_same_username_is_the_same_user(cognito_client):
    assert cognito_client("ada").user == cognito_client("ada").user


def test_api_requires_csrf_token_with_session_alone(cognito_client):
    client = cognito_client("ada", bearer=False, enforce_csrf_checks=True)
    response = client.post("/api/user")
    assert (response.status_code, response.json()["code"]) == (403, "csrf_failed")


def test_token_alone_does_not_open_pages(cognito_client):
    client = cognito_client("ada", session=False)
    assert client.get("/api/user").status_code == 200
    assert client.get("/profile/").status_code == 302


def test_machine_and_anonymous_client(cognito_client):
    assert cognito_client.machine(scopes=["stats/read"]).get("/api/stats").status_code == 200
    assert cognito_client.anonymous().get("/api/stats").status_code == 401


def test_requests_to_cognito_are_listed(cognito_client, cognito):
    cognito_client("ada").get("/api/user")
    assert cognito.calls == ["authorization_code", "keys"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"expired": True}, errors.TokenExpired),
        ({"foreign": True}, errors.WrongIssuer),
        ({"forged": True}, errors.BadSignature),
        ({"without": ["exp"]}, errors.ClaimRejected),
        ({"claims": {"client_id": "anotherclient"}}, errors.WrongClient),
        ({"claims": {"token_use": "id"}}, errors.WrongTokenUse),
    ],
)
def test_minted_token_has_the_requested_defect(cognito, options, error):
    with pytest.raises(error):
        provider().access_verifier.access_claims(mint_access_token(**options))


def test_minted_tokens_are_valid(cognito):
    access = provider().access_verifier.access_claims(mint_access_token("ada", groups=["admins"]))
    assert (access.subject, access.groups) == (subject_of("ada"), ("admins",))
    id_claims = provider().sign_in_verifier.id_claims(
        mint_id_token("ada", name="Ada Lovelace", nonce="n"), nonce="n"
    )
    assert (id_claims.email, id_claims.name) == ("ada@example.com", "Ada Lovelace")
    machine = provider().access_verifier.access_claims(mint_machine_token(scopes=["stats/read"]))
    assert machine.is_machine
    assert machine.scopes == {"stats/read"}


def test_api_responds_503_while_the_pool_is_down(cognito, client):
    cognito.down = True
    response = client.get("/api/user", headers={"Authorization": f"Bearer {mint_access_token()}"})
    assert response.status_code == 503


def test_refused_sign_in_raises_with_its_status(cognito, settings):
    settings.COGNITO = {**settings.COGNITO, "CREATE_PEOPLE": False}
    with pytest.raises(AssertionError, match=r"ada was not signed in: .* 403"):
        signed_in("ada", cognito=cognito)


def test_kit_works_with_unittest():
    class Case(unittest.TestCase):
        def runTest(self):
            with fake_cognito() as cognito:
                page = signed_in("ada", cognito=cognito).get("/profile/")
            assert page.status_code == 200

    result = unittest.TestResult()
    Case().run(result)
    assert result.testsRun == 1
    assert result.wasSuccessful(), result.errors + result.failures
