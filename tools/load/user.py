"""A user of the load: signs in, reads, writes, signs out, and checks the responses."""

from __future__ import annotations

import re
import time

import requests

from local_pool.testing import LocalPool

from .client import Failed, claims_of
from .ledger import Kind, Ledger, RecordedResponse, RevokedToken
from .token_user import TokenUser

REVOCATION_SECONDS = 1.0  # after which no process accepts a signed-out token
STALE_REVOCATION = "signed-out token accepted for lack of the database"
ENDED_SIGN_IN = "sign-in ended by the pool"  # the action as which wanted sign-outs are counted
_USER_EMAIL = re.compile(r"person-\d+@example\.com")


class LoadUser(TokenUser):
    """A user with a browser, and with separate tokens."""

    actions = (
        *TokenUser.actions,
        ("look_at_profile", 30),
        ("ask_api_in_session", 15),
        ("write_by_form", 5),
        ("sign_out", 4),
        ("sign_out_everywhere", 2),
    )

    def __init__(
        self, name: str, site: str, pool: LocalPool, ledger: Ledger, ip_address: str = ""
    ) -> None:
        super().__init__(name, site, pool, ledger, ip_address)
        self.email = f"{name}@example.com"
        self.signed_in = False
        self.signed_in_since = 0.0  # when the last sign-in began

    def prepare(self) -> None:
        if not self.signed_in:
            self.sign_in()

    def sign_in(self) -> None:
        authorize = self.ask("GET", "/accounts/login/?next=/profile/").headers["Location"]
        started = time.time()
        try:
            callback = self.pool.sign_in(authorize, self.name, session=self.browser)
        except (requests.RequestException, AssertionError) as error:
            # The pool failed because of a fault: this is not a response of the site.
            seconds = time.time() - started
            response = RecordedResponse(
                started, seconds, "the pool's own pages", type(error).__name__
            )
            self.ledger.responses.append(response)
            raise Failed from error
        try:
            self.ask("GET", callback, expected=302)
        except Failed:
            self.ledger.uncertain_sign_in(self.subject)
            raise
        self.signed_in_since = started
        self._set_signed_in(True)
        self.ledger.count("sign_in")

    def _set_signed_in(self, signed_in: bool) -> None:
        self.signed_in = self.ledger.signed_in[self.subject] = signed_in

    def look_at_profile(self) -> None:
        response = self.ask("GET", "/profile/")
        self._require_signed_in(response, 200)
        if set(_USER_EMAIL.findall(response.text)) != {self.email}:
            self._wrong("was shown a page of another user")

    def ask_api_in_session(self) -> None:
        response = self.ask("GET", "/api/user", headers={"Accept": "application/json"})
        self._require_signed_in(response, 200)
        self._require_own_data(response)

    def _require_signed_in(self, response: requests.Response, expected: int) -> None:
        """Raise Failed if the response says that the browser is signed out."""
        location = response.headers.get("Location", "")
        if response.status_code == expected and "/accounts/login/" not in location:
            return
        if self.ledger.was_evicted(self.subject, self.signed_in_since):
            self.ledger.count(ENDED_SIGN_IN)
        else:
            what = f"{self.name} got {response.status_code} {location[:60]}"
            self.ledger.violation(Kind.UNWANTED_SIGN_OUT, what)
        self._set_signed_in(False)
        raise Failed("signed out")

    def _post(self, path: str) -> None:
        """Post a form with a CSRF token. Raises Failed unless the response is a redirect."""
        self._require_signed_in(self.ask("GET", "/profile/"), 200)
        fields = {"csrfmiddlewaretoken": self.browser.cookies.get("csrftoken", "")}
        self._require_signed_in(self.ask("POST", path, data=fields, expected=302), 302)

    def sign_out(self) -> None:
        before = self.browser.cookies.copy()
        try:
            self._post("/accounts/logout/")
        except Failed:
            self._check_session()
            raise
        self._set_signed_in(False)
        response = self.ask("GET", "/profile/", browser=False, cookies=before)
        if response.status_code == 200:
            self._wrong("has a session that works after signing out")
        self.browser = self.new_session()

    def _check_session(self) -> None:
        """Find out whether a sign-out without a response took effect."""
        while not self.stop.wait(0.5):
            try:
                self._set_signed_in(self.ask("GET", "/profile/").status_code == 200)
            except Failed:
                continue
            break
        if not self.signed_in:
            self.browser = self.new_session()

    def sign_out_everywhere(self) -> None:
        tokens = [token for token in (self.access_token, self.header_tokens[0]) if token]
        self.access_token, self.header_tokens = "", ("", "")
        try:
            self._post("/profile/sign-out-everywhere/")
        except Failed:
            self._check_session()
            raise
        now = time.time()
        self._set_signed_in(False)
        self.browser = self.new_session()
        self.ledger.left_everywhere[self.subject] = now
        # Tokens issued in the same second are rejected, too: see `revoke_user`.
        time.sleep(max(REVOCATION_SECONDS, 2.0 - now % 1) + 0.1)
        for token in tokens:
            claims = claims_of(token)
            revoked = RevokedToken(token, self.subject, claims["iat"], claims["exp"], now)
            self.ledger.revoked.append(revoked)
            for _ in range(4):
                self._require_refused(token, now)

    def _require_refused(self, access_token: str, revoked_at: float) -> None:
        headers = {"Authorization": f"Bearer {access_token}"}
        sent_at = time.time()
        response = self.ask("GET", "/api/user", browser=False, headers=headers)
        if response.status_code != 200:
            return
        if self.ledger.may_be_unread(revoked_at, sent_at):
            self.ledger.count(STALE_REVOCATION)
        else:
            self._wrong("has a token that is accepted after signing out everywhere")

    def write_by_form(self) -> None:
        figure = self._figure()
        self._require_signed_in(self.ask("GET", "/dashboard/figures/add/"), 200)
        fields = {"csrfmiddlewaretoken": self.browser.cookies.get("csrftoken", ""), **figure}
        try:
            response = self.ask("POST", "/dashboard/figures/add/", data=fields, expected=302)
        except Failed:
            self.ledger.uncertain_writes.append(figure["kpi"])
            raise
        self._require_signed_in(response, 302)
        self._record_write(figure)


class StayingUser(LoadUser):
    """A user who never signs out, so that only renewals keep the sign-in alive."""

    actions = tuple(item for item in LoadUser.actions if not item[0].startswith("sign_out"))
