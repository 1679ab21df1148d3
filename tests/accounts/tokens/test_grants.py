from types import MappingProxyType

import pytest

from accounts.cognito.claims import AccessClaims
from accounts.cognito.errors import ClaimRejected
from accounts.cognito.pool_ids import pool_id_of
from accounts.models import Identity, SignIn, User
from accounts.tokens.grants import require_same_sign_in

pytestmark = pytest.mark.django_db

SAME = {"issuer": "https://pool", "subject": "sub", "client_id": "client", "auth_time": 1}


def access(**changes):
    issuer = changes.get("issuer", SAME["issuer"])
    defaults = {"username": "ada", "scopes": frozenset(), "groups": None, "expires_at": 9}
    defaults |= {
        "pool_id": pool_id_of(issuer),
        "issued_at": 1,
        "jti": "j",
        "origin_jti": "o",
        "raw": MappingProxyType({}),
    }
    return AccessClaims(**{**SAME, **defaults, **changes})


def test_token_of_the_same_sign_in_is_accepted():
    require_same_sign_in(access(jti="a"), access(jti="b", issued_at=2))
    require_same_sign_in(SignIn(**SAME, origin_jti="a"), access(origin_jti="b"))


@pytest.mark.parametrize("name", [*SAME, "origin_jti"])
def test_refusal_of_another_sign_ins_token_names_the_claim(name):
    expected = [access()] if name == "origin_jti" else [access(), SignIn(**SAME)]
    for sign_in in expected:
        with pytest.raises(ClaimRejected, match=f"another sign-in: {name} differs") as caught:
            require_same_sign_in(sign_in, access(**{name: "another"}))
        assert caught.value.claim == name


def test_token_with_another_issuer_of_the_pool_continues_the_sign_in():
    original, updated = (f"https://{host}/eu-west-1_AbCdEf123" for host in ("one", "two"))
    require_same_sign_in(access(issuer=original), access(issuer=updated))
    require_same_sign_in(SignIn(**SAME | {"issuer": original}), access(issuer=updated))
    with pytest.raises(ClaimRejected, match="issuer differs"):
        require_same_sign_in(access(issuer=original), access(issuer=updated + "4"))


def test_sign_in_of_an_account_that_is_set_aside_is_not_continued():
    """An earlier version may sign a browser in to it, while both versions run."""
    user, other = (User.objects.create_user(name) for name in ("user-1", "user-2"))
    Identity.objects.create(user=user, issuer=SAME["issuer"], subject=SAME["subject"])
    require_same_sign_in(SignIn(**SAME, user=user), access())
    with pytest.raises(ClaimRejected, match="user differs"):
        require_same_sign_in(SignIn(**SAME, user=other), access())
