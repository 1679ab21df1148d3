"""Short-lived state that processes share."""

from __future__ import annotations

from django.db import models


class RefreshResult(models.Model):
    """One refresh at Cognito, shared by the requests that need its result.

    The request that inserts the row makes the call. The others read the encrypted result until
    `expires_at`. `tokens/shared_refresh` describes the states of a row.
    """

    key = models.CharField(max_length=64, unique=True)
    owner = models.CharField(max_length=64)
    lease_until = models.DateTimeField()
    sealed_result = models.TextField(blank=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"refresh until {self.expires_at:%H:%M:%S}"


class RateCounter(models.Model):
    """A count that all processes share until `expires_at`. Housekeeping deletes it afterwards."""

    key = models.CharField(max_length=128, unique=True)
    count = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "tallies"

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"
