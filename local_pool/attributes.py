"""The attributes of users: which ones a pool has, and what a change of one also changes."""

import re

from .errors import INVALID, UserError
from .pool import Pool
from .records import PoolUser

STANDARD = (
    *("name", "given_name", "middle_name", "family_name", "nickname", "preferred_username"),
    *("address", "birthdate", "email", "gender", "locale", "phone_number", "picture", "profile"),
    *("identities", "updated_at", "website", "zoneinfo"),
)
CONTACTS = ("email", "phone_number")
FLAGS = ("email_verified", "phone_number_verified")
FLAG_FORMAT = (re.compile("true|false", re.IGNORECASE), "A flag must be true or false.")
FORMATS = {
    "email": (re.compile(r"[^@\s]+@[^@\s]+"), "Invalid email address format."),
    "phone_number": (re.compile(r"\+[0-9]{1,15}"), "Invalid phone number format."),
    "birthdate": (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), "Invalid birthdate format."),
    **dict.fromkeys(FLAGS, FLAG_FORMAT),
}
ANY = (re.compile(r"[^\0]{0,2048}"), "An attribute has 2048 characters at most.")


def check(pool: Pool, changes: dict[str, str], *, is_admin: bool = True) -> dict[str, str]:
    """Return valid changes. Raises UserError for an attribute that the caller cannot write."""
    for name, value in changes.items():
        if name == "sub":
            raise UserError(INVALID, "user.sub: Attribute cannot be updated.")
        if name in FLAGS and not is_admin:
            message = "A client attempted to write unauthorized attribute"
            raise UserError("NotAuthorizedException", message)
        if not _is_declared(pool, name):
            message = (
                f"Attributes did not conform to the schema: Type for attribute {{{name}}} could"
                " not be determined"
            )
            raise UserError(INVALID, message)
        pattern, message = FORMATS.get(name, ANY)
        if value and not pattern.fullmatch(value):
            raise UserError(INVALID, message)
    return {k: v.lower() if k in FLAGS else v for k, v in changes.items()}


def _is_declared(pool: Pool, name: str) -> bool:
    kind, _, custom = name.rpartition(":")
    if kind in ("custom", "dev:custom", "dev"):
        declared = pool.config.custom_attributes
        return not declared or custom in declared
    return name in STANDARD or name in FLAGS


def apply(user: PoolUser, changes: dict[str, str]) -> dict[str, str]:
    """Return the attributes after the changes. An empty value deletes the attribute.

    A new email address or phone number is not verified, unless its flag is sent as well.
    """
    for name in CONTACTS:
        if changes.get(name, user.attributes.get(name)) != user.attributes.get(name):
            changes = {f"{name}_verified": "false"} | changes
    return {k: v for k, v in (user.attributes | changes).items() if v}


def delete(user: PoolUser, names: list[str]) -> dict[str, str]:
    """Return the attributes without these, and without the flags that belong to them."""
    gone = {*names, *(f"{name}_verified" for name in names)}
    return {k: v for k, v in user.attributes.items() if k not in gone}
