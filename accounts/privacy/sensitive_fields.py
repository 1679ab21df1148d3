"""Which columns hold secrets, so that no export and no listing shows them.

Ours are named here one by one. A host's model may say so itself: `withheld_from_export = ("pin",)`
withholds exactly these columns. Of any other model a column is withheld whose name speaks of a
password, secret, token, key, hash or the like, or whose field encrypts what it stores. Better one
too many: the export names every column it left out.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from django.db.models import Model

from ..models import (
    Identity,
    PendingRevocation,
    Revocation,
    SharedRefresh,
    SignIn,
    SignInEvent,
    Tally,
    User,
)

_OURS: dict[type[Model], frozenset[str]] = {
    User: frozenset({"password"}),
    Identity: frozenset(),
    SignIn: frozenset({"key", "sealed_tokens", "lease_owner", "lease_until", "version"}),
    SignInEvent: frozenset(),
    Revocation: frozenset(),  # it names tokens by their ids, which open nothing
    PendingRevocation: frozenset({"sealed_token"}),
    SharedRefresh: frozenset({"key", "owner", "sealed_result"}),
    Tally: frozenset({"key"}),
}
_ANYWHERE = re.compile(r"passw|passphrase|passcode|secret|token|credential|apikey|privatekey")
_AS_A_WORD = re.compile(r"(^|_)(pwd|keys?|hash(es|ed)?|digest|salt|[th]?otp|pin|nonce)(_|$)")
_ENCRYPTING = re.compile(r"encrypt|fernet", re.IGNORECASE)  # in the name of a field's class


@cache
def withheld_columns(model: type[Model]) -> frozenset[str]:
    """The names of the fields of `model` that must not be shown."""
    return frozenset(field.name for field in model._meta.concrete_fields if _is_withheld(field))


def sounds_secret(name: str) -> bool:
    """Whether a column or key of this name is to be taken for a secret."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|\W+", "_", name).lower()
    return bool(_ANYWHERE.search(words) or _AS_A_WORD.search(words))


def shown_name(row: Model) -> str:
    """What a row is called in a listing: as it calls itself if it is ours or none of its columns is
    withheld, else by its key, unless that is a secret too. A many-to-many relation's own row is
    called by what it joins."""
    if row._meta.auto_created:
        joined = (field for field in row._meta.concrete_fields if field.is_relation)
        return ", ".join(shown_name(getattr(row, field.name)) for field in joined)
    withheld = withheld_columns(type(row))
    if type(row) in _OURS or not withheld:
        return str(row)
    pk = row._meta.pk
    return "(not shown)" if pk is None or pk.name in withheld else str(row.pk)


def _is_withheld(field: Any) -> bool:
    said = _OURS.get(field.model, getattr(field.model, "withheld_from_export", None))
    if said is not None:
        return field.name in said
    if sounds_secret(field.name):
        return True
    kinds = (f"{kind.__module__}.{kind.__name__}" for kind in type(field).__mro__)
    if any(map(_ENCRYPTING.search, kinds)):
        return True
    # A relation stores the other row's key, which may be the secret itself.
    return bool(field.is_relation) and _is_withheld(field.target_field)
