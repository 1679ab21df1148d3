"""The optional parameters of the hosted UI that a link may set: an allow-list with checked values.

https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html. A value that
is not acceptable is dropped, so that an old link still leads to a sign-in. Anyone can make a link,
so a parameter may only choose among what the hosted UI offers anyway, or require more of a sign-in.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

LANGUAGES = ("de", "en", "es", "fr", "id", "nl", "it", "ja", "ko", "pt-BR", "zh-CN", "zh-TW")
OWN_USERS = "COGNITO"  # the identity provider that is the user pool itself
MAX_HINT_LENGTH = 128  # characters, as of a username
MAX_ACR_LENGTH = 260  # characters, as of four names
_BY_LOWER_CASE = {language.lower(): language for language in LANGUAGES}
_SCRIPTS = {"zh-hans": "zh-CN", "zh-hant": "zh-TW"}  # Django names Chinese by its script


def accepted_parameters(
    query: Mapping[str, Sequence[str]], *, providers: Collection[str], acr_names: Collection[str]
) -> dict[str, str]:
    """Return the acceptable ones of ``query``, a mapping from each name to all its values.

    ``providers`` are the names of the pool's identity providers, ``acr_names`` those of its levels.
    """
    values = {name: values[0] for name, values in query.items() if len(values) == 1}
    accepted = {
        "identity_provider": _provider(values.get("identity_provider", ""), providers),
        "idp_identifier": _identifier(values.get("idp_identifier", ""), providers),
        "login_hint": _hint(values.get("login_hint", "")),
        "lang": _BY_LOWER_CASE.get(values.get("lang", "").lower(), ""),
        "max_age": _seconds(values.get("max_age", "")),
        "acr_values": _levels(values.get("acr_values", ""), acr_names),
    }
    if accepted["identity_provider"]:
        del accepted["idp_identifier"]  # the two are alternatives
    return {name: value for name, value in accepted.items() if value}


def hosted_ui_language(code: str) -> str:
    """Return the value of ``lang`` for a language code such as ``de-at``, or "" without one."""
    code = code.lower()
    for name in (code, code.partition("-")[0]):
        if language := _SCRIPTS.get(name) or _BY_LOWER_CASE.get(name):
            return language
    return ""


def is_acr_name(text: str) -> bool:
    """Return True for a possible name of a level of authentication (``AcrValue`` of a pool)."""
    return re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]{1,64}", text) is not None


def is_provider_name(text: str) -> bool:
    """Return True for a possible name of an identity provider (``ProviderName`` of a pool)."""
    return 1 <= len(text) <= 32 and text.isprintable() and not re.search(r"\s", text)


def _provider(value: str, providers: Collection[str]) -> str:
    return value if value in (*providers, OWN_USERS) else ""


def _identifier(value: str, providers: Collection[str]) -> str:
    """Return an identifier, such as an email domain. Without a provider, the pool has none."""
    if not providers or not value.isprintable():
        return ""
    return value if re.fullmatch(r"[\w+=.@ -]{1,40}", value) else ""


def _hint(value: str) -> str:
    return value if len(value) <= MAX_HINT_LENGTH and value.isprintable() else ""


def _seconds(value: str) -> str:
    return value if re.fullmatch(r"[1-9][0-9]{0,8}", value) else ""


def _levels(value: str, names: Collection[str]) -> str:
    if len(value) > MAX_ACR_LENGTH:
        return ""
    return " ".join(dict.fromkeys(name for name in value.split(" ") if name in names))
