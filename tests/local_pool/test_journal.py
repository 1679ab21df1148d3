"""The log contains every step under the attempt's reference, and no secret."""

import hashlib
import re

from local_pool.journal import Journal, attempt_reference

from .conftest import CHALLENGE, VERIFIER
from .pages import Pages


def test_steps_of_an_attempt_carry_the_start_of_its_states_hash(app):
    code = app.code(state="some-state")
    app.redeem(code)
    reference = hashlib.sha256(b"some-state").hexdigest()[:8]
    lines = [line for line in app.pool.journal.lines if reference in line]
    assert re.fullmatch(rf"\d\d:\d\d:\d\d pool  {reference}  authorize by web", lines[0])
    assert lines[1].endswith("login ada, with a password")
    assert re.search(r"token authorization_code \d+ ms$", lines[2])


def test_errors_have_the_cause(app):
    code = app.code()
    app.redeem(code, auth=(app.pool.client_id, "wrong"))
    assert "token authorization_code refused: client" in app.pool.journal.lines[-1]
    assert "COGNITO_CLIENT_SECRET" in app.pool.journal.lines[-1]


def test_second_use_of_a_code_is_logged_under_the_attempt_it_came_from(app):
    code = app.code(state="s")
    app.redeem(code)
    app.redeem(code)
    assert app.pool.journal.lines[-1].endswith("refused: the code was already used")
    tokens = app.tokens(state="s")
    app.revoke(tokens["refresh_token"])
    app.refresh(tokens["refresh_token"])
    lines = app.pool.journal.lines[-4:]
    assert all(attempt_reference("s") in line for line in lines)
    assert lines[-1].endswith("refused: Refresh Token has been revoked")


def test_codes_tokens_secrets_and_passwords_never_appear(app):
    state, nonce = "a-state-nobody-may-read", "a-nonce-nobody-may-read"
    changes = {"state": state, "nonce": nonce}
    code = app.code(**changes, code_challenge=CHALLENGE, code_challenge_method="S256")
    tokens = app.redeem(code, code_verifier=VERIFIER).json()
    app.refresh(tokens["refresh_token"])
    app.revoke(tokens["refresh_token"])
    Pages(app.authorize_url()).submit("/login", username="ada", password="a-wrong-password")
    console = Pages(f"{app.pool.url}/_local/live").text
    printed = "\n".join(app.pool.journal.lines) + console
    values = [tokens[name] for name in ("access_token", "id_token", "refresh_token")]
    for secret in (code, VERIFIER, "a-wrong-password", "Cognito-demo-1", state, *values):
        assert secret not in printed
    assert app.pool.client_secret not in printed


def test_line_breaks_in_parameters_cannot_forge_a_line(app):
    app.authorize(redirect_uri="http://localhost/\r\n12:00:00 pool  forged\u2028x")
    assert not re.search(r"[\r\n\u2028]", app.pool.journal.lines[-1])


def test_journal_deletes_the_oldest_attempts():
    journal = Journal()
    for number in range(150):
        journal.step(attempt_reference(str(number)), "authorize")
    assert len(journal.attempts()) == 100
    assert journal.attempts()[0].reference == attempt_reference("149")
