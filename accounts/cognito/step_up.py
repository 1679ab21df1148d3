"""What a page or an endpoint can require of a sign-in: that it is recent, or of a certain level.

OpenID Connect Core section 3.1.2.1 (``max_age``, ``acr_values``), RFC 9470 for APIs, and
https://docs.aws.amazon.com/cognito/latest/developerguide/step-up-authentication.html. Cognito may
ignore both parameters, so the claims of the new tokens decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

# Cognito continues with a session of the hosted UI that is just recent enough. The way back takes
# a moment, and clocks differ. Without this, that user would be sent there and back for nothing.
LEEWAY_SECONDS = 60


@dataclass(frozen=True)
class SignInRequirement:
    """The maximum age of a sign-in in seconds, or None, and acceptable levels, or ()."""

    max_age: int | None = None
    acr_values: tuple[str, ...] = ()

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> Self:
        """Return the requirement of accepted parameters (see `hosted_ui_parameters`)."""
        max_age = parameters.get("max_age")
        levels = parameters.get("acr_values", "").split()
        return cls(int(max_age) if max_age else None, tuple(levels))

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of an authorization request, or of a challenge (RFC 9470 section 3)."""
        max_age = "" if self.max_age is None else str(self.max_age)
        values = {"max_age": max_age, "acr_values": " ".join(self.acr_values)}
        return {name: value for name, value in values.items() if value}

    def is_met(self, *, auth_time: float, acr: str | None, now: float) -> bool:
        """Return True if a sign-in at `auth_time` with this level is sufficient.

        An unknown level (None) never is: Cognito does not send ``acr`` on every plan. Neither is a
        time in the future.
        """
        age = now - auth_time
        if self.max_age is not None and not -LEEWAY_SECONDS <= age <= self.max_age + LEEWAY_SECONDS:
            return False
        return not self.acr_values or acr in self.acr_values


NO_REQUIREMENT = SignInRequirement()


def check_requirement(max_age: int | None, acr: str) -> None:
    """Raise ValueError for a requirement that no sign-in can miss, or none can meet."""
    if max_age is None and not acr:
        raise ValueError("a recent sign-in needs max_age (in seconds), acr, or both")
    if max_age is not None and max_age < 1:
        raise ValueError("max_age must be at least 1 second")
