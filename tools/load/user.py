"""A user of the load: signs in, reads, writes, refreshes, signs out, and checks responses."""

from __future__ import annotations

import random
import re
import time

import requests

from local_pool.testing import LocalPool

from .client import Failed, LoadClient, claims_of
from .ledger import KPI_PREFIX, Ledger, RecordedResponse, RevokedToken, Write

REVOCATION_SECONDS = 1.0  # after which no process accepts a signed-out token
GRACE_SECONDS = 60.0  # in which a replaced refresh token still works
_USER_EMAIL = re.compile(r"person-\d+@example\.com")


class LoadUser(LoadClient):
    """A user with a browser, and with separate tokens."""

    actions = (
        ("look_at_profile", 30),
        ("ask_api_in_session", 15),
        ("ask_api_with_token", 20),
        ("write", 15),
        ("write_by_form", 5),
        ("refresh_by_header", 10),
        ("sign_out", 4),
        ("sign_out_everywhere", 2),
    )

    def __init__(
        self, name: str, site: str, pool: LocalPool, ledger: Ledger, ip_address: str = ""
    ) -> None:
        super().__init__(name, site, pool, ledger, ip_address)
        self.subject = ledger.subjects[name]
        self.email = f"{name}@example.com"
        self.signed_in = False
        self.access_token = ""
        self.header_tokens: tuple[str, str] = ("", "")
        self.lost_at: float | None = None  # when a response with new tokens may have been lost
        self.written = 0

    def prepare(self) -> None:
        if not self.signed_in:
            self.sign_in()

    # In a browser

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
        self._set_signed_in(True)
        self.ledger.count("sign_in")

    def _set_signed_in(self, signed_in: bool) -> None:
        self.signed_in = self.ledger.signed_in[self.subject] = signed_in

    def look_at_profile(self) -> None:
        response = self.ask("GET", "/profile/")
        self._require_signed_in(response, 200)
        if response.status_code == 200 and set(_USER_EMAIL.findall(response.text)) != {self.email}:
            self.ledger.violation(f"{self.name} was shown a page of another user")

    def ask_api_in_session(self) -> None:
        response = self.ask("GET", "/api/user", headers={"Accept": "application/json"})
        self._require_signed_in(response, 200)
        self._require_own_data(response)

    def _require_signed_in(self, response: requests.Response, expected: int) -> None:
        if response.status_code != expected and self.signed_in:
            what = f"{response.status_code} {response.headers.get('Location', '')[:60]}"
            self.ledger.violation(f"{self.name} was signed out unexpectedly: {what}")
            self._set_signed_in(False)

    def _require_own_data(self, response: requests.Response) -> None:
        if response.status_code == 200 and response.json()["identity"]["sub"] != self.subject:
            self.ledger.violation(f"{self.name} got data of another user")

    def _post(self, path: str) -> None:
        """Post a form with a CSRF token. Raises Failed unless the response is a redirect."""
        self.ask("GET", "/profile/")
        fields = {"csrfmiddlewaretoken": self.browser.cookies.get("csrftoken", "")}
        self.ask("POST", path, data=fields, expected=302)

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
            self.ledger.violation(f"{self.name}'s session works after signing out")
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
                self._require_refused(token)

    def _require_refused(self, access_token: str) -> None:
        headers = {"Authorization": f"Bearer {access_token}"}
        response = self.ask("GET", "/api/user", browser=False, headers=headers)
        if response.status_code == 200:
            self.ledger.violation(f"{self.name}'s token is accepted after signing out everywhere")

    # With tokens

    def _bearer(self) -> dict[str, str]:
        if not self.access_token or claims_of(self.access_token)["exp"] - time.time() < 3:
            self.access_token = self.pool.tokens_for(self.name)["access_token"]
        return {"Authorization": f"Bearer {self.access_token}"}

    def ask_api_with_token(self) -> None:
        response = self.ask("GET", "/api/user", browser=False, headers=self._bearer())
        if response.status_code != 200 and claims_of(self.access_token)["exp"] > time.time():
            self.ledger.violation(f"{self.name}'s good token was refused: {response.text[:120]}")
        self._require_own_data(response)

    def _figure(self) -> dict[str, str]:
        self.written += 1
        value = str(random.randint(1, 10**9))  # noqa: S311 (not a secret)
        kpi = f"{KPI_PREFIX}{self.name} {self.written}"
        return {"kpi": kpi, "year": "2024", "month": "5", "value": value}

    def _record_write(self, figure: dict[str, str]) -> None:
        self.ledger.writes.append(Write(figure["kpi"], figure["value"], self.subject))

    def write(self) -> None:
        figure = self._figure()
        body = {**figure, "year": 2024, "month": 5}
        try:
            response = self.ask(
                "POST", "/api/stats", browser=False, json=body, headers=self._bearer()
            )
        except Failed:
            self.ledger.uncertain_writes.append(figure["kpi"])
            raise
        if response.status_code == 201:
            self._record_write(figure)
        elif claims_of(self.access_token)["exp"] > time.time():
            self.ledger.violation(f"{self.name} could not write: {response.text[:120]}")

    def write_by_form(self) -> None:
        figure = self._figure()
        self.ask("GET", "/dashboard/figures/add/", expected=200)
        fields = {"csrfmiddlewaretoken": self.browser.cookies.get("csrftoken", ""), **figure}
        try:
            self.ask("POST", "/dashboard/figures/add/", data=fields, expected=302)
        except Failed:
            self.ledger.uncertain_writes.append(figure["kpi"])
            raise
        self._record_write(figure)

    def refresh_by_header(self) -> None:
        """Send both tokens with the request, as the original single-page app does."""
        access_token, refresh_token = self.header_tokens
        if not access_token:
            tokens = self.pool.tokens_for(self.name)
            self.header_tokens = tokens["access_token"], tokens["refresh_token"]
            self.lost_at = None
            return
        if claims_of(access_token)["exp"] > time.time():
            return
        headers = {"x-access-token": access_token, "x-refresh-token": refresh_token}
        try:
            response = self.ask("GET", "/api/user", browser=False, headers=headers)
        except Failed:
            self.lost_at = self.lost_at or time.time()
            raise
        if response.status_code == 200:
            self._require_own_data(response)
            new = response.headers
            self.header_tokens = (
                new["X-Access-Token"],
                new.get("X-Refresh-Token", refresh_token),
            )
            self.lost_at = None
            return
        in_grace = self.lost_at is None or time.time() - self.lost_at < GRACE_SECONDS - 5
        if in_grace:
            self.ledger.violation(f"{self.name}'s refresh was refused: {response.text[:120]}")
        self.ledger.count("refresh token lost for longer than the grace period")
        self.header_tokens = ("", "")
