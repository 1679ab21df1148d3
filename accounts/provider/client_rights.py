"""COGNITO_CLIENT_RIGHTS: the maximum rights of app clients other than our own. Plain Python.

A JSON object, app client ID -> "read", "write" or "staff":

    {"5examplereporting1234": "read", "3exampleadminapp12345": "staff"}

An accepted app client that is not listed has "write". The site's own app client is not limited,
except for the tokens with which another service acts (`act`, RFC 8693 section 4.1).

"*" is for the app clients that COGNITO_UNLISTED_CLIENT_SCOPES accepts. They have "read" by default,
and at most "write".
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

UNLISTED = "*"


class ClientRights(StrEnum):
    """The maximum rights of a request with a token of an app client, for any user.

    READ: safe methods (RFC 9110 section 9.2.1), and of Django's permissions those to view.
    WRITE: the user's rights without staff and superuser status.
    STAFF: all rights of the user.
    """

    READ = "read"
    WRITE = "write"
    STAFF = "staff"


def parse_client_rights(value: Mapping[str, Any], *, own_client: str) -> dict[str, ClientRights]:
    """Return the rights by client ID. Raises ValueError that names the wrong entry."""
    rights = {}
    for client_id, level in value.items():
        if client_id == own_client:
            raise ValueError(f"must not list {client_id}: the site's own app client has no limit")
        try:
            rights[client_id] = ClientRights(level)
        except ValueError as error:
            levels = ", ".join(ClientRights)
            raise ValueError(f"(app client {client_id!r}) must be one of {levels}") from error
    if rights.get(UNLISTED) is ClientRights.STAFF:
        raise ValueError('("*") must be read or write: anyone can register such an app client')
    return rights
