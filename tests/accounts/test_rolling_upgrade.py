"""Two versions run at the same time during an upgrade: each reads what the other one stores.

The literals are those of version 0.2, which raises errors for members that it does not know.
"""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from accounts.api.authentication import authenticate_token
from accounts.cognito.errors import CognitoUnavailable
from accounts.cognito.token_endpoint import TokenSet
from accounts.core.app_label import cookie_name
from accounts.models import PendingRevocation, RefreshResult, SignIn
from accounts.provider import provider
from accounts.sessions import app_sign_ins, ending
from accounts.testing import mint_access_token, mint_id_token
from accounts.tokens import shared_refresh
from accounts.tokens.storage import open_tokens
from tests.accounts.earlier_version import insert_sign_in

pytestmark = pytest.mark.django_db

TOKENS = {"access_token": "a", "id_token": "i", "refresh_token": "r"}


def members_of(sealed):
    return provider().cipher.open(sealed).keys()


def test_version_0_2_reads_the_tokens_of_a_browser(cognito_client):
    cognito_client("ada")
    assert members_of(SignIn.objects.get().sealed_tokens) == TOKENS.keys()


def test_version_0_2_reads_the_tokens_of_an_app_after_a_rotation(rf, cognito):
    access_token = mint_access_token("ada", claims={"origin_jti": "o-1"})
    user, claims = authenticate_token(access_token)
    tokens = TokenSet(
        access_token=access_token,
        id_token=mint_id_token("ada"),
        refresh_token="first",
        expires_in=3600,
    )
    app_sign_ins._create(rf.get("/"), user.pk, tokens, claims)
    rotated = replace(tokens, access_token="newer", refresh_token="second")
    app_sign_ins.record_refresh(rf.get("/"), rotated, claims, sent_refresh_token="first")
    sign_in = SignIn.objects.get()
    assert open_tokens(sign_in).refresh_token == "second"
    assert members_of(sign_in.sealed_tokens) == TOKENS.keys()
    assert "first" not in repr(list(RefreshResult.objects.values()))


def test_version_0_2_reads_the_result_of_a_refresh(cognito_client):
    cognito_client("ada")
    sign_in = SignIn.objects.get()
    refresh_token = open_tokens(sign_in).refresh_token
    shared_refresh.renew_once(sign_in, refresh_token, give_up_at=0, timeout=None)
    result = RefreshResult.objects.get(key=f"sign-in:{sign_in.pk}:{sign_in.version}")
    content = provider().cipher.open(result.sealed_result)
    assert content.keys() == {"tokens"}
    assert content["tokens"].keys() == {*TOKENS, "expires_in"}
    shared_refresh.pause(SignIn(pk=1, version=7), CognitoUnavailable("down"))
    failure = RefreshResult.objects.get(key="sign-in:1:7")
    assert members_of(failure.sealed_result) >= {"failure", "retry_at"}


def test_version_0_2_reads_a_queued_revocation():
    ending.queue_revocation("a refresh token", reference="7c1e09ab")
    content = provider().cipher.open(PendingRevocation.objects.get().sealed_token)
    assert content["refresh_token"] == "a refresh token"


def test_row_of_version_0_2_is_read(django_user_model):
    user = django_user_model.objects.create_user("u-1")
    sealed = provider().cipher.seal(TOKENS)
    sign_in = insert_sign_in(user, provider().pool.issuer, "sub-1", sealed_tokens=sealed)
    assert open_tokens(sign_in).refresh_token == "r"


def test_members_that_a_later_version_adds_are_ignored(cognito_client):
    cognito_client("ada")
    sign_in = SignIn.objects.get()
    sign_in.sealed_tokens = provider().cipher.seal(TOKENS | {"earlier": ["x"], "new": 1})
    assert open_tokens(sign_in).access_token == "a"
    later = timezone.now() + timedelta(minutes=1)
    RefreshResult.objects.create(
        key=f"sign-in:{sign_in.pk}:{sign_in.version}",
        owner="later",
        lease_until=later,
        expires_at=later,
        sealed_result=provider().cipher.seal(
            {"tokens": TOKENS | {"expires_in": 60, "new": 1}, "more": 2}
        ),
    )
    tokens = shared_refresh.renew_once(sign_in, "r", give_up_at=0, timeout=None)
    assert (tokens.access_token, tokens.expires_in) == ("a", 60)


def test_attempt_that_version_0_2_began_starts_again(client, cognito):
    """Its cookie has another content, and its state no page."""
    state = "s" * 43
    content = {"a": [state, "/profile/", "n" * 43, "v" * 43, 1, False]}
    client.cookies[cookie_name("signin_") + "0" * 16] = provider().cipher.seal(content)
    response = client.get("/signin", {"code": "c", "state": state})
    assert response.status_code == 302
    query = parse_qs(urlsplit(response.headers["Location"]).query)
    assert query["response_type"] == ["code"]
