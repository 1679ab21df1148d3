"""Callbacks and cookies that were used before, were never issued, or belong to another user."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from ..attack import CALLS_A_MINUTE, EXCHANGED_AGAIN, REFUSED, Attack, Attacker, Response

# 302: an attempt that is not open starts again at the hosted UI, which causes no call.
_REFUSED = REFUSED | {302}
CODES_OF_AN_ATTEMPT = 25
_PAGE = [("Accept", "text/html")]


def start_attempt(attacker: Attacker) -> tuple[Response, str]:
    """Start an attempt, and return the response and the `state`.

    A callback of no attempt starts a second try. The response to its wrong code is a page, not
    another try.
    """
    response = attacker.request("GET", "/signin?code=x&state=x", _PAGE)
    query = parse_qs(urlsplit(response.header("Location")).query)
    return response, query.get("state", [""])[0]


def junk_codes(attacker: Attacker) -> Iterator[Response]:
    """Try many codes with one attempt, without replacing its cookie."""
    while True:
        login, state = start_attempt(attacker)
        yield login
        headers = [*_PAGE, ("Cookie", login.cookies())]
        for number in range(CODES_OF_AN_ATTEMPT):
            code = attacker.random.getrandbits(64)
            path = f"/signin?code=junk{code}&state={state}"
            response = attacker.request("GET", path, headers)
            is_again = number > 0 and response.status == 400  # the response to a wrong code
            yield Response(EXCHANGED_AGAIN, response.head) if is_again else response


def one_code_each(attacker: Attacker) -> Iterator[Response]:
    """Start an attempt for each code, from one IP address."""
    while True:
        login, state = start_attempt(attacker)
        headers = [*_PAGE, ("Cookie", login.cookies())]
        path = f"/signin?code=junk{attacker.random.getrandbits(64)}&state={state}"
        yield attacker.request("GET", path, headers)


def replayed_callback(attacker: Attacker) -> Iterator[Response]:
    """Open a used callback in another browser."""
    while True:
        yield attacker.request("GET", attacker.target.used_callback, _PAGE)


def replayed_session(attacker: Attacker) -> Iterator[Response]:
    """Use the session cookie of a user who has signed out."""
    headers = [("Cookie", attacker.target.ended_session), ("Accept", "application/json")]
    while True:
        path = attacker.random.choice(("/api/user", "/api/stats", "/profile/", "/dashboard/"))
        yield attacker.request("GET", path, headers)


def invented_sessions(attacker: Attacker) -> Iterator[Response]:
    while True:
        size = attacker.random.choice((1, 32, 32, 4096))
        session = f"{attacker.random.getrandbits(size * 4):0{size}x}"
        headers = [("Cookie", f"sessionid={session}"), ("Accept", "application/json")]
        yield attacker.request("GET", "/api/user", headers)


def started_sign_ins(attacker: Attacker) -> Iterator[Response]:
    """Start sign-ins and never finish them."""
    while True:
        path = f"/accounts/login/?next=/{attacker.random.getrandbits(64):x}"
        yield attacker.request("GET", path, _PAGE)


_CALLS = {400: CALLS_A_MINUTE}  # the response to a code that Cognito rejected
ATTACKS = (
    Attack("many codes with one attempt", junk_codes, 4, _REFUSED, _CALLS, addresses=2),
    Attack("an attempt for each code", one_code_each, 2, _REFUSED, _CALLS),
    Attack("used callback in another browser", replayed_callback, 2, _REFUSED),
    Attack("session cookie after signing out", replayed_session, 2, _REFUSED),
    Attack("invented session cookies", invented_sessions, 2, REFUSED),
    Attack("sign-ins that are never finished", started_sign_ins, 2, frozenset({302, 429})),
)
