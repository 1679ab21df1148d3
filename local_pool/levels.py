"""Levels of authentication: what ``acr_values`` may request, and the claims ``acr`` and ``amr``.

Cognito has four levels: 1 a password, 2 a code by email or SMS, 3 both (or a passkey), 4 a password
and TOTP.
https://docs.aws.amazon.com/cognito/latest/developerguide/step-up-authentication.html
"""

from .pool_config import PoolConfig

PASSWORD = ("pwd",)
CODE = ("email_otp",)
PASSWORD_AND_CODE = ("pwd", "email_otp", "mfa")
PASSKEYS = (("swk",), ("hwk",))  # on this device, on another one
PASSWORD_AND_TOTP = ("pwd", "otp", "mfa")


def level_of(amr: tuple[str, ...]) -> int:
    """Return the level that these methods of authentication reach (RFC 8176)."""
    ways = ((4, PASSWORD_AND_TOTP), (3, PASSWORD_AND_CODE), *((3, p) for p in PASSKEYS), (2, CODE))
    return next((level for level, way in ways if set(way) <= set(amr)), 1)


def claims(config: PoolConfig, amr: tuple[str, ...]) -> dict[str, object]:
    """Return ``acr`` and ``amr``. The Lite plan has neither."""
    if config.plan == "lite":
        return {}
    return {"acr": config.acr_values[level_of(amr) - 1], "amr": list(amr)}


def required_level(config: PoolConfig, acr_values: str, highest: int) -> int | None:
    """Return the first requested level up to ``highest``, or None if there is none.

    ``acr_values`` is a list in order of preference. Unknown names are ignored; without a known one,
    level 1 is enough.
    """
    names = config.acr_values
    requested = [names.index(name) + 1 for name in acr_values.split() if name in names]
    return next((level for level in requested if level <= highest), None if requested else 1)
