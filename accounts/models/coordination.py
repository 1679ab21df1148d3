"""Short-lived state that processes share."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class RefreshResult(models.Model):
    """One call to the token endpoint, shared by the requests that need its result.

    The request that inserts the row makes the call. The others read the encrypted result until
    `expires_at`. `tokens/shared_call` describes the states of a row.
    """

    key = models.CharField(max_length=64, unique=True)
    owner = models.CharField(max_length=64)
    lease_until = models.DateTimeField()
    sealed_result = models.TextField(blank=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"refresh until {self.expires_at:%H:%M:%S}"

    @property
    def is_complete(self) -> bool:
        """True if there is a result that has not expired."""
        return bool(self.sealed_result) and not self.is_over

    @property
    def is_over(self) -> bool:
        """True if the result has expired, or if its owner died before there was one."""
        return (self.expires_at if self.sealed_result else self.lease_until) <= timezone.now()


class RateCounter(models.Model):
    """A count that all processes share until `expires_at`. Housekeeping deletes it afterwards."""

    key = models.CharField(max_length=128, unique=True)
    count = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"
