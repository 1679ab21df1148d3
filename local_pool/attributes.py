"""The attributes of users: which ones a pool has, and what a change of one also changes."""

import re

from .declarations import Client
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
TYPES = {
    "String": ANY,
    "DateTime": ANY,
    "Number": (re.compile("-?[0-9]+"), "The attribute must be a whole number."),
    "Boolean": FLAG_FORMAT,
}


def check(
    pool: Pool, changes: dict[str, str], client: Client | None = None, *, is_new: bool = False
) -> dict[str, str]:
    """Return valid changes. Raises UserError for an attribute that the caller cannot write.

    The caller is a user of this app client, or an administrator. Only a new user gets a value for
    an immutable attribute.
    """
    for name, value in changes.items():
        if name == "sub":
            raise UserError(INVALID, "user.sub: Attribute cannot be updated.")
        if client is not None and not _can_write(client, name):
            message = "A client attempted to write unauthorized attribute"
            raise UserError("NotAuthorizedException", message)
        kind, options = _schema(pool, name)
        if not kind:
            message = (
                f"Attributes did not conform to the schema: Type for attribute {{{name}}} could"
                " not be determined"
            )
            raise UserError(INVALID, message)
        if "immutable" in options and not is_new:
            raise UserError(INVALID, f"user.{name}: Attribute cannot be updated.")
        pattern, message = FORMATS.get(name, TYPES[kind])
        if value and not pattern.fullmatch(value):
            raise UserError(INVALID, message)
    return {k: v.lower() if k in FLAGS else v for k, v in changes.items()}


def _can_write(client: Client, name: str) -> bool:
    is_protected = name in FLAGS or name == "identities" or name.startswith("dev:")
    return not is_protected and client.can_write(name)


def custom_schema(pool: Pool) -> dict[str, tuple[str, list[str]]]:
    """Return the type and the options of each custom attribute, which are ``NAME:TYPE:OPTION``."""
    parts = [declared.split(":") for declared in pool.config.custom_attributes]
    return {name: (next(iter(rest), "String"), rest[1:]) for name, *rest in parts}


def is_declared(pool: Pool, name: str) -> bool:
    return _schema(pool, name)[0] != ""


def _schema(pool: Pool, name: str) -> tuple[str, list[str]]:
    """Return the type and the options of an attribute; the type is "" if the pool lacks it."""
    prefix, _, custom = name.rpartition(":")
    schema = custom_schema(pool)
    if prefix not in ("custom", "dev:custom", "dev"):
        return ("String" if name in STANDARD or name in FLAGS else "", [])
    return schema.get(custom, ("" if schema else "String", []))


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
