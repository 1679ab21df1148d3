"""System checks of the configuration. They need no network, except to read a client secret.

`accounts.E001` a value of the pool, app client or site, or the snapshot of keys, is malformed,
    or the client secret cannot be read.
`accounts.E002` the keys that encrypt tokens are malformed.
`accounts.E003` a trusted pool or the mapping of groups is malformed.
`accounts.E004` a redirect URL for single-page apps is malformed, or is this site's own.
`accounts.E005` the rights of an app client are malformed.
`accounts.E006` a limit is unknown, is not a whole number, or is below its minimum.
`accounts.E007` (`check --deploy --database default`) the user model refuses new users.
`accounts.E008` an identity provider, a level of authentication, or the step-up of the admin is
    malformed.
`accounts.E009` the database router separates our models from the user model, or reading them from
    writing them.
`accounts.W001` (`check --deploy`) the wire contract of the original stack is served.
`accounts.W002` (`check --deploy`) the user pool runs on this machine.
`accounts.W003` (`check --deploy`) no session ends for being idle.
`accounts.W004` staff can sign in with a password (break-glass).
`accounts.W005` rights are listed for an app client whose tokens are not accepted.
`accounts.W006` the user model requires fields, and no hook returns their values.
"""

from collections.abc import Callable, Collection
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Tags, Warning  # noqa: A004 (Django's name)
from django.core.checks import register as register_check
from django.db import router

from .cognito.errors import ConfigurationError
from .cognito.safe_urls import is_loopback
from .models import Identity, Revocation, SignIn, SignInEvent
from .provider.members import CHECK_TAG, setting_hint, setting_name
from .provider.settings import (
    read_cipher,
    read_client_rights,
    read_client_secret,
    read_config,
    read_groups,
    read_limits,
    read_pools,
    read_sign_in_options,
    read_site_options,
    read_snapshot,
    read_spa_redirect_uris,
)
from .sessions import limits as sessions_limits
from .users import model_checks

# The first reader that names a value decides the ID of the message.
_READERS: tuple[tuple[str, Callable[[], object]], ...] = (
    ("accounts.E001", read_site_options),
    ("accounts.E003", read_groups),
    ("accounts.E001", read_config),
    ("accounts.E001", read_client_secret),
    ("accounts.E001", read_snapshot),
    ("accounts.E003", read_pools),
    ("accounts.E002", read_cipher),
    ("accounts.E004", read_spa_redirect_uris),
    ("accounts.E005", read_client_rights),
    ("accounts.E006", read_limits),
    ("accounts.E008", read_sign_in_options),
)


def register() -> None:
    """Register all checks under the tag that decides whether a server may start."""
    register_check(check_settings, CHECK_TAG)
    register_check(check_client_rights, CHECK_TAG)
    register_check(check_databases, Tags.models)
    register_check(check_spa_compat, "security", deploy=True)
    register_check(check_pool_is_real, "security", deploy=True)
    register_check(check_limits, "security", deploy=True)
    register_check(check_break_glass, "security")
    register_check(check_user_fields, Tags.models)
    # Receivers of signals run, so this is not part of `migrate`, which runs database checks, too.
    register_check(check_new_users, Tags.database, deploy=True)


def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return one error for each wrong value, even if several readers fail because of it."""
    messages: dict[str, CheckMessage] = {}
    for check_id, read in _READERS:
        try:
            read()
        except ConfigurationError as error:
            for name, problem in error.problems.items():
                text = f"{setting_name(name)} {problem}."
                message = Error(text, hint=setting_hint(), id=check_id)
                messages.setdefault(name, message)
    return list(messages.values())


def check_client_rights(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        listed = read_client_rights()
        if read_config().rules.unlisted_scopes:
            return []  # any app client of the pool can be accepted
        accepted = {client for pool in read_pools().values() for client in pool.client_ids}
    except ConfigurationError:
        return []  # another check says so
    return [
        Warning(
            f"COGNITO_CLIENT_RIGHTS lists {client!r}, whose tokens are not accepted.",
            hint="Correct the id, or accept it: COGNITO_ACCEPTED_CLIENTS, COGNITO_TRUSTED_POOLS.",
            id="accounts.W005",
        )
        for client in sorted(listed.keys() - accepted)
    ]


def check_spa_compat(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not getattr(settings, "SPA_COMPAT", False):
        return []
    return [
        Warning(
            "SPA_COMPAT is on: codes are accepted in URLs, which servers log, and refresh tokens "
            "in headers, so scripts of the page must hold them.",
            hint="Set SPA_COMPAT=0 unless the original stack's UI is served from here.",
            id="accounts.W001",
        )
    ]


def check_pool_is_real(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        config = read_config()
    except ConfigurationError:
        return []  # E001 says so
    if not any(is_loopback(url) for url in (*config.pool.issuers, config.domain)):
        return []
    return [
        Warning(
            "The user pool runs on this machine. Anyone who can reach it can sign in as any user.",
            hint="Set COGNITO_POOL_ID and the other variables to those of a pool at AWS.",
            id="accounts.W002",
        )
    ]


def check_limits(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        limits = read_limits()
    except ConfigurationError:
        return []  # another check says so
    idle, absolute = limits.session_idle, limits.session_absolute
    if not idle > absolute:
        return []
    return [
        Warning(
            f"SESSION_IDLE_SECONDS ({idle}) is longer than SESSION_ABSOLUTE_SECONDS ({absolute}), "
            "so no session ever ends for being idle.",
            hint="Make SESSION_IDLE_SECONDS the smaller of both.",
            id="accounts.W003",
        )
    ]


def check_break_glass(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not sessions_limits.break_glass_enabled():
        return []
    return [
        Warning(
            "BREAK_GLASS_LOGIN is on: staff can sign in with a password of this site, without the "
            "pool and its second factors.",
            hint="Set BREAK_GLASS_LOGIN=0 as soon as users can sign in through Cognito again.",
            id="accounts.W004",
        )
    ]


def check_databases(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    users = router.db_for_write(get_user_model())
    separate = [
        model._meta.label
        for model in (Identity, SignIn, SignInEvent, Revocation)
        if {router.db_for_read(model), router.db_for_write(model)} != {users}
    ]
    if not separate:
        return []
    return [
        Error(
            f"The router of DATABASE_ROUTERS does not read and write {', '.join(separate)} in the "
            f"database {users!r}, which stores {settings.AUTH_USER_MODEL}.",
            hint="Keep these models in one database. A delayed replica would still have rights and "
            "sessions that have ended.",
            id="accounts.E009",
        )
    ]


_HOOK_HINT = (
    "Return their values from get_user_fields() of a subclass of CognitoBackend, which "
    "AUTHENTICATION_BACKENDS lists (docs/adopt.md)."
)


def check_user_fields(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        fields = model_checks.fields_without_value()
    except ConfigurationError:
        return []  # no CognitoBackend is listed: the doctor says so
    if not fields:
        return []
    text = f"New users have no value for {', '.join(fields)} of {settings.AUTH_USER_MODEL}."
    return [Warning(text, hint=_HOOK_HINT, id="accounts.W006")]


def check_new_users(
    app_configs: Any, databases: Collection[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    model = get_user_model()
    if router.db_for_write(model) not in (databases or ()):
        return []
    try:
        reason = model_checks.reason_for_refusal()
    except ConfigurationError:
        return []  # another check says so
    return [Error(f"{reason}.", hint=_HOOK_HINT, id="accounts.E007")] if reason else []
