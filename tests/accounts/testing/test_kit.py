import unittest

import pytest
from django.contrib.auth import get_user_model

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


def test_signed_in_client_sees_pages_and_api(cognito_client):
    client = cognito_client("ada", groups=["admins"], scopes=["stats/read"])
    assert client.get("/profile/").status_code == 200
    answer = client.get("/api/user").json()
    assert answer["identity"]["userName"] == "ada"
    assert answer["data"]["groups"] == ["admins"]
    assert answer["data"]["scopes"] == ["stats/read"]


def test_two_clients_are_two_people(cognito_client):
    ada, linus = cognito_client("ada"), cognito_client("linus")
    assert ada.user != linus.user
    assert get_user_model().objects.count() == 2


def test_the_same_name_is_the_same_person(cognito_client):
    assert cognito_client("ada").user == cognito_client("ada").user


def test_session_alone_needs_csrf_for_the_api(cognito_client):
    client = cognito_client("ada", bearer=False, enforce_csrf_checks=True)
    answer = client.post("/api/user")
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")


def test_token_alone_opens_no_page(cognito_client):
    client = cognito_client("ada", session=False)
    assert client.get("/api/user").status_code == 200
    assert client.get("/profile/").status_code == 302


def test_machine_and_nobody(cognito_client):
    assert cognito_client.machine(scopes=["stats/read"]).get("/api/stats").status_code == 200
    assert cognito_client.anonymous().get("/api/stats").status_code == 401


def test_no_call_leaves_the_process(cognito_client, cognito):
    cognito_client("ada").get("/api/user")
    assert cognito.calls == ["authorization_code", "keys"]


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"expired": True}, errors.TokenExpired),
        ({"foreign": True}, errors.WrongIssuer),
        ({"forged": True}, errors.BadSignature),
        ({"without": ["exp"]}, errors.ClaimRejected),
        ({"claims": {"client_id": "somebodyelses"}}, errors.WrongClient),
        ({"claims": {"token_use": "id"}}, errors.WrongTokenUse),
    ],
)
def test_minted_token_is_wrong_in_the_one_thing_asked_for(cognito, wrong, error):
    with pytest.raises(error):
        provider().verifier.access_claims(mint_access_token(**wrong))


def test_minted_tokens_are_right_in_everything(cognito):
    access = provider().verifier.access_claims(mint_access_token("ada", groups=["admins"]))
    assert (access.subject, access.groups) == (subject_of("ada"), ("admins",))
    id_claims = provider().sign_in_verifier.id_claims(
        mint_id_token("ada", name="Ada Lovelace", nonce="n"), nonce="n"
    )
    assert (id_claims.email, id_claims.name) == ("ada@example.com", "Ada Lovelace")
    machine = provider().verifier.access_claims(mint_machine_token(scopes=["stats/read"]))
    assert machine.is_machine
    assert machine.scopes == {"stats/read"}


def test_pool_that_is_down_answers_nothing(cognito, client):
    cognito.down = True
    answer = client.get("/api/user", headers={"Authorization": f"Bearer {mint_access_token()}"})
    assert answer.status_code == 503


def test_refusals_of_the_app_are_told(cognito, settings):
    settings.COGNITO = {**settings.COGNITO, "CREATE_PEOPLE": False}
    with pytest.raises(AssertionError, match="ada was not signed in: 403"):
        signed_in("ada", cognito=cognito)


def test_unittest_does_without_the_fixtures():
    class Case(unittest.TestCase):
        def runTest(self):
            with fake_cognito() as cognito:
                page = signed_in("ada", cognito=cognito).get("/profile/")
            assert page.status_code == 200

    result = unittest.TestResult()
    Case().run(result)
    assert result.testsRun == 1
    assert result.wasSuccessful(), result.errors + result.failures
