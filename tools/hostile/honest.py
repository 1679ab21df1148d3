"""The honest users during an attack: users with browsers and tokens, and a machine client."""

from __future__ import annotations

import random
import time

from tools.load.client import LoadClient, claims_of
from tools.load.ledger import KPI_PREFIX, Ledger, Write
from tools.load.user import LoadUser
from tools.rehearsal.instances import Site


class Machine(LoadClient):
    """A machine client with its own token (client_credentials)."""

    actions = (("read", 3), ("write", 1))
    access_token = ""
    written = 0

    def _headers(self) -> dict[str, str]:
        if not self.access_token or claims_of(self.access_token)["exp"] - time.time() < 3:
            self.access_token = self.pool.machine_token()
        return {"Authorization": f"Bearer {self.access_token}"}

    def read(self) -> None:
        self.ask("GET", "/api/stats?limit=50", headers=self._headers(), expected=200)

    def write(self) -> None:
        self.written += 1
        kpi = f"{KPI_PREFIX}{self.name} {self.written}"
        value = str(random.randint(1, 10**9))  # noqa: S311 (a load, not a secret)
        body = {"kpi": kpi, "year": 2024, "month": 5, "value": value}
        self.ledger.uncertain_writes.append(kpi)
        self.ask("POST", "/api/stats", headers=self._headers(), json=body, expected=201)
        self.ledger.writes.append(Write(kpi, value, claims_of(self.access_token)["sub"]))


def start(site: Site, names: list[str], ledger: Ledger) -> list[LoadClient]:
    """Start a thread for each of these users, and one for a machine client."""
    clients: list[LoadClient] = [
        LoadUser(name, site.url, site.pool, ledger, f"127.8.0.{number + 1}")
        for number, name in enumerate(names)
    ]
    clients.append(Machine(f"machine-of-{names[0]}", site.url, site.pool, ledger, "127.8.1.1"))
    for client in clients:
        client.start()
    return clients
