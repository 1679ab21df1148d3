"""Whether the user model of a host project takes a new user, before the first one signs in."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from typing import Any

from django.contrib.auth import get_user_model
from django.db import DatabaseError

from ..cognito.claims import IdClaims
from ..core.db import atomic
from ..problems.errors import UserNotCreated
from ..provider.settings import read_config
from .backend_hooks import BackendHooks, UserClaims
from .creation import missing_fields, required_values
from .provisioning import configured_backend


def fields_without_value() -> list[str]:
    """Return the fields of the user model that must have a value, if no hook can give it one."""
    model, backend = get_user_model(), type(configured_backend())
    hooks = ("get_user_fields", "create_user")
    if any(getattr(backend, name) is not getattr(BackendHooks, name) for name in hooks):
        return []
    return missing_fields(model, required_values(model, "user"))


class _Undo(Exception):
    """Rolls the transaction of an attempt back."""


def reason_for_refusal() -> str:
    """Create two users in a transaction that is rolled back, and return why that failed, or "".

    Two, because many a constraint allows one user without a value. Receivers of signals run.
    """
    config, now = read_config(), int(time.time())
    claims = IdClaims(
        pool_id=config.pool_id, issuer=config.issuer, subject="", client_id=config.client_id,
        username="", groups=None, expires_at=now + 60, issued_at=now, auth_time=now, jti=None,
        origin_jti=None, nonce=None, email=None, email_verified=False, name=None, given_name=None,
        family_name=None, raw={},
    )  # fmt: skip
    try:
        with atomic(get_user_model()):
            for subject in map(str, (uuid.uuid4(), uuid.uuid4())):
                raw: dict[str, Any] = {"sub": subject, "cognito:username": subject}
                of_one = replace(claims, subject=subject, username=subject, raw=raw)
                configured_backend().create_user(UserClaims(of_one))
            raise _Undo
    except _Undo:
        return ""
    except UserNotCreated as error:
        return error.message
    except DatabaseError as error:
        return f"the database refuses a new user: {error}"
