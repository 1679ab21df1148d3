"""The key of a pool user: the pool ID and the subject.

The issuer is stored as information: it is that of the token that the row was made from, and never
changes. A row of an earlier version has no pool ID, so the issuer names its pool.
"""

from __future__ import annotations

from typing import Any, Protocol

from django.db import models
from django.utils.translation import gettext_lazy

from ..cognito.pool_ids import pool_id_of


class PoolSubject(Protocol):
    """What names a pool user: the claims of a token, a sign-in, an identity or a link."""

    @property
    def pool_id(self) -> str: ...

    @property
    def issuer(self) -> str: ...

    @property
    def subject(self) -> str: ...


def pool_of(key: PoolSubject) -> str:
    """Return the pool ID of `key`, or what its issuer says if it has none."""
    return key.pool_id or pool_id_of(key.issuer)


def is_same_pool(one: PoolSubject, other: PoolSubject) -> bool:
    """Return True if both are of one pool, under whichever of its issuers."""
    return one.issuer == other.issuer or pool_of(one) == pool_of(other)


class PoolIdField(models.CharField):  # type: ignore[type-arg]
    """The pool ID, which the issuer gives if a row is stored without it.

    The database has a default too, because an earlier version inserts rows while both versions run.
    """

    def __init__(self, **options: Any) -> None:
        defaults = {"verbose_name": gettext_lazy("pool ID"), "max_length": 255, "blank": True}
        super().__init__(**{**defaults, "default": "", "db_default": "", **options})

    def deconstruct(self) -> Any:
        """Return the description of a plain CharField: migrations outlive this class."""
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.CharField", args, options

    def pre_save(self, instance: models.Model, add: bool) -> Any:
        if not getattr(instance, self.attname):
            setattr(instance, self.attname, pool_id_of(instance.issuer))  # type: ignore[attr-defined]
        return super().pre_save(instance, add)
