"""A user of the API with tokens: reads, writes and refreshes, and checks the responses."""

from __future__ import annotations

import random
import time

import requests

from local_pool.testing import LocalPool

from .client import Failed, LoadClient, claims_of
from .ledger import KPI_PREFIX, Kind, Ledger, Write

GRACE_SECONDS = 60.0  # in which a replaced refresh token still works
APP_SIGN_IN = "app_sign_in"  # the action as which new tokens to refresh by headers are counted
ISSUER_NAMES = ("original", "updated", "replica")  # in the order of LocalPool.issuers


def with_issuer(name: str) -> str:
    """Return the action under which calls with tokens of this issuer are counted."""
    return f"ask api with a token of the {name} issuer"


class TokenUser(LoadClient):
    """A user with an access token, and with two tokens that are refreshed by headers."""

    actions: tuple[tuple[str, int], ...] = (
        ("ask_api_with_token", 20),
        ("write", 15),
        ("refresh_by_header", 10),
    )

    def __init__(
        self, name: str, site: str, pool: LocalPool, ledger: Ledger, ip_address: str = ""
    ) -> None:
        super().__init__(name, site, pool, ledger, ip_address)
        self.subject = ledger.subjects[name]
        self.access_token = ""
        self.header_tokens: tuple[str, str] = ("", "")
        self.lost_at: float | None = None  # when a response with new tokens may have been lost
        self.written = 0

    def _require_own_data(self, response: requests.Response) -> None:
        if response.status_code == 200 and response.json()["identity"]["sub"] != self.subject:
            self._wrong("got data of another user")

    def _wrong(self, what: str) -> None:
        self.ledger.violation(Kind.WRONG_RESPONSE, f"{self.name} {what}")

    def _bearer(self) -> dict[str, str]:
        if not self.access_token or claims_of(self.access_token)["exp"] - time.time() < 3:
            self.access_token = self.pool.tokens_for(self.name)["access_token"]
        return {"Authorization": f"Bearer {self.access_token}"}

    def ask_api_with_token(self) -> None:
        response = self.ask("GET", "/api/user", browser=False, headers=self._bearer())
        issuer = self.pool.issuers.index(claims_of(self.access_token)["iss"])
        self.ledger.count(with_issuer(ISSUER_NAMES[issuer]))
        if response.status_code != 200 and claims_of(self.access_token)["exp"] > time.time():
            self._wrong(f"has a good token that was refused: {response.text[:120]}")
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
            self._wrong(f"could not write: {response.text[:120]}")

    def refresh_by_header(self) -> None:
        """Send both tokens with the request, as the original single-page app does."""
        access_token, refresh_token = self.header_tokens
        if not access_token:
            tokens = self.pool.tokens_for(self.name)
            self.header_tokens = tokens["access_token"], tokens["refresh_token"]
            self.lost_at = None
            self.ledger.count(APP_SIGN_IN)
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
        with self.ledger.evicting:
            is_evicted = claims_of(access_token)["origin_jti"] in self.ledger.evicted
        if is_evicted:
            self.ledger.count("refresh token ended by the pool")
        elif self.lost_at is None or time.time() - self.lost_at < GRACE_SECONDS - 5:
            what = f"{self.name}'s refresh was refused: {response.text[:120]}"
            self.ledger.violation(Kind.UNWANTED_SIGN_OUT, what)
        else:
            self.ledger.count("refresh token lost for longer than the grace period")
        self.header_tokens = ("", "")
