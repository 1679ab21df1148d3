"""Changes of the pool that a run makes, and the settings of the instances that expect them."""

from __future__ import annotations

import time
from typing import Any

from local_pool.testing import LocalPool
from tools.load.arrangement import POOL
from tools.load.ledger import Eviction, Ledger
from tools.rehearsal.instances import Site

MAX_SESSIONS = 20  # per user, the default of Cognito
TRACKING_POOL: dict[str, Any] = {
    **POOL,
    "session_tracking": True,
    "max_sessions_per_user": MAX_SESSIONS,
}
# The scope allows the site to end the sessions of a user who signs out everywhere. The local pool's
# COGNITO_ISSUER lists all issuers of the pool, as COGNITO_REPLICA_REGIONS does for a pool at AWS.
ENVIRONMENT = {
    "SPA_COMPAT": "1",
    "COGNITO_SESSIONS_PER_USER": str(MAX_SESSIONS),
    "COGNITO_SCOPES": "openid,email,profile,aws.cognito.signin.user.admin",
}


def use_both_secret_sources(site: Site) -> None:
    """Make the second instance read the client secret from Secrets Manager, not from a file."""
    site.pool.do("rotate-secret")
    site.write_client_secret()
    site.instances[0].restart()
    site.instances[1].restart(COGNITO_CLIENT_SECRET=site.pool.client_secret_arn)


def retire_old_secret(site: Site) -> None:
    """Distribute the newest client secret, and delete the old one at the pool."""
    site.write_client_secret()
    site.pool.do("drop-old-secret")


def evict(site: Site, ledger: Ledger, names: list[str]) -> None:
    """End all sign-ins of these users at the pool, as too many other devices would.

    The ledger has each of them: only their users may be signed out.
    """
    for name in names:
        subject = ledger.subjects[name]
        with ledger.evicting:
            while before := _sign_ins(site.pool, name):
                site.pool.do(f"evict {name}")
                for key in before - _sign_ins(site.pool, name):
                    ledger.evicted[key] = Eviction(subject, time.time())


def _sign_ins(pool: LocalPool, name: str) -> set[str]:
    """Return the `origin_jti` of each sign-in of this user that has a refresh token."""
    sessions = pool.sessions(name).items()
    return {session.key for session_id, session in sessions if session_id.startswith("tkn")}
