"""Guesses: refresh tokens in headers, authorization codes at get-tokens, break-glass passwords."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from ..attack import CALLS_A_MINUTE, Allowance, Attack, Attacker, Response, json_body

_GUESS = frozenset({400, 401, 403, 429})
BREAK_GLASS = "/admin/break-glass/"


def refresh_tokens(attacker: Attacker) -> Iterator[Response]:
    """Send guesses with one genuine access token that has expired."""
    while True:
        headers = [
            ("x-access-token", attacker.target.expired_access_token),
            ("x-refresh-token", f"guess{attacker.random.getrandbits(128):x}"),
        ]
        yield attacker.request("GET", "/api/user", headers)


def codes(attacker: Attacker) -> Iterator[Response]:
    while True:
        guess = {
            "code": f"guess{attacker.random.getrandbits(128):x}",
            "redirectUri": f"http://localhost:{attacker.target.proxy_port}/signin",
            "codeVerifier": "v" * 43,
        }
        headers = [("Content-Type", "application/json")]
        yield attacker.request("POST", "/api/auth/get-tokens", headers, json_body(guess))


def passwords(attacker: Attacker) -> Iterator[Response]:
    """Guess passwords of many usernames; the first ten guesses get the form again."""
    page = attacker.request("GET", BREAK_GLASS)
    token = page.cookies().partition("csrftoken=")[2].partition(";")[0]
    headers = [
        ("Cookie", f"csrftoken={token}"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ]
    while True:
        fields = {
            "csrfmiddlewaretoken": token,
            "username": attacker.random.choice(("admin", "root", "\0", "\u2170" * 99, "a" * 9000)),
            "password": f"guess{attacker.random.getrandbits(64):x}",
        }
        yield attacker.request("POST", BREAK_GLASS, headers, urlencode(fields).encode())


ATTACKS = (
    Attack("guessed refresh tokens", refresh_tokens, 3, _GUESS, {401: CALLS_A_MINUTE}),
    Attack("guessed codes", codes, 3, _GUESS, {400: CALLS_A_MINUTE}),
    Attack(
        "guessed break-glass passwords",
        passwords,
        2,
        _GUESS | {200},
        {200: Allowance(10, 900)},
    ),
)
