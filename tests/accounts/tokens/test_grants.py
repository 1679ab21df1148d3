from types import MappingProxyType

import pytest

from accounts.cognito.claims import AccessClaims
from accounts.cognito.errors import ClaimRejected
from accounts.models import SignIn
from accounts.tokens.grants import require_same_sign_in

SAME = {
    "issuer": "https://pool",
    "subject": "sub",
    "client_id": "client",
    "auth_time": 1,
}


def access(**changes):
    defaults = {"username": "ada", "scopes": frozenset(), "groups": None, "expires_at": 9}
    defaults |= {
        "pool_id": "eu-west-1_A",
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
