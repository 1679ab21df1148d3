"""COGNITO_IDENTITY_PROVIDERS, COGNITO_ACR_VALUES and COGNITO_ADMIN_STEP_UP. Plain Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..cognito.errors import ConfigurationError
from ..cognito.hosted_ui_parameters import is_acr_name, is_provider_name
from ..cognito.step_up import SignInRequirement

ACR_VALUES = tuple(f"urn:cognito:loa:{level}" for level in range(1, 5))  # Cognito's defaults
MAX_LABEL_LENGTH = 60


@dataclass(frozen=True, kw_only=True)
class SignInOptions:
    """The ways to sign in that the site offers, and the levels of a sign-in."""

    identity_providers: Mapping[str, str] = field(default_factory=dict)  # name -> label
    acr_values: tuple[str, ...] = ACR_VALUES  # of the levels 1 to 4
    admin_step_up: SignInRequirement | None = None  # for changes of users and rights in the admin

    def require(self, *, max_age: int | None = None, acr: str = "") -> SignInRequirement:
        """Return the requirement of a sign-in in the last `max_age` seconds, at least at `acr`.

        Raises ConfigurationError if the level is not one of COGNITO_ACR_VALUES.
        """
        if acr and acr not in self.acr_values:
            problem = f"does not have the level {acr!r} that a view or a setting requires"
            raise ConfigurationError({"COGNITO_ACR_VALUES": problem})
        levels = self.acr_values[self.acr_values.index(acr) :] if acr else ()
        return SignInRequirement(max_age, levels)


def parse_sign_in_options(
    *, providers: Sequence[str], acr_values: Sequence[str], admin_step_up: Mapping[str, Any]
) -> SignInOptions:
    """Return the options. Raises ConfigurationError that names every wrong value."""
    problems = {}
    labels = dict(item.partition("=")[::2] for item in providers)
    for name, label in labels.items():
        if not is_provider_name(name) or not _is_label(label):
            problems["COGNITO_IDENTITY_PROVIDERS"] = (
                f"({name[:40]!r}) must be names of the pool with labels, such as"
                " Google=Google,Okta=Company account"
            )
    if len(labels) < len(providers):
        problems["COGNITO_IDENTITY_PROVIDERS"] = "must not have a name twice"
    levels = tuple(acr_values) or ACR_VALUES
    if not len(set(levels)) == len(levels) == len(ACR_VALUES) or not all(map(is_acr_name, levels)):
        problems["COGNITO_ACR_VALUES"] = "must be the names of the pool's four levels, 1 to 4"
    options = SignInOptions(identity_providers=labels, acr_values=levels)
    max_age, acr = admin_step_up.get("max_age"), admin_step_up.get("acr", "")
    is_max_age = max_age is None or (type(max_age) is int and 0 < max_age < 10**9)
    is_empty = bool(admin_step_up) and max_age is None and not acr
    unknown = admin_step_up.keys() - {"max_age", "acr"}
    if unknown or is_empty or not is_max_age or acr not in ("", *levels):
        problems["COGNITO_ADMIN_STEP_UP"] = (
            'must be like {"max_age": 600, "acr": "urn:cognito:loa:3"}, one of both at least, with'
            " a level of COGNITO_ACR_VALUES"
        )
    if problems:
        raise ConfigurationError(problems)
    if not admin_step_up:
        return options
    requirement = options.require(max_age=max_age, acr=acr)
    return SignInOptions(identity_providers=labels, acr_values=levels, admin_step_up=requirement)


def _is_label(label: str) -> bool:
    return bool(label.strip()) and label.isprintable() and len(label) <= MAX_LABEL_LENGTH
