"""The JSON of the API's own endpoints, in the original stack's camelCase."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

_VERIFIER_NEEDED = (
    "Send the PKCE verifier (RFC 7636) of this sign-in. The app makes one for each sign-in and "
    "sends its hash to the hosted UI as code_challenge. Apps without PKCE need SPA_COMPAT=1 here."
)
_VERIFIER_MALFORMED = (
    "A PKCE verifier has 43 to 128 characters of A-Z, a-z, 0-9, '-', '.', '_' and '~' (RFC 7636)."
)


class CodeSerializer(serializers.Serializer[dict[str, str]]):
    """An authorization code to exchange for tokens.

    `codeVerifier` is required unless SPA_COMPAT is on. This site adds its client secret, so without
    a verifier, an attacker who finds a code in a log or a Referer could use it (RFC 9700 section
    2.1.1).
    """

    code = serializers.CharField(max_length=2048)
    redirectUri = serializers.CharField(  # noqa: N815 (the wire's name)
        max_length=1024, help_text="Where the hosted UI sent the code; one of the allowed ones."
    )
    codeVerifier = serializers.RegexField(  # noqa: N815
        r"^[A-Za-z0-9._~-]{43,128}\Z",
        required=False,
        trim_whitespace=False,
        help_text="The PKCE verifier (RFC 7636). It may be left out only if the server has "
        "SPA_COMPAT on and the code was requested without a challenge.",
        error_messages={
            "required": _VERIFIER_NEEDED,
            "blank": _VERIFIER_NEEDED,
            "null": _VERIFIER_NEEDED,
            "invalid": _VERIFIER_MALFORMED,
        },
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        fields["codeVerifier"].required = not getattr(settings, "SPA_COMPAT", False)
        return fields


class RefreshTokenSerializer(serializers.Serializer[Any]):
    """The refresh token of an app that signs out."""

    refreshToken = serializers.CharField(  # noqa: N815
        max_length=16_384, required=False, allow_blank=True, default=""
    )


class TokensSerializer(serializers.Serializer[Any]):
    """The tokens for a code."""

    accessToken = serializers.CharField()  # noqa: N815
    refreshToken = serializers.CharField()  # noqa: N815
    idToken = serializers.CharField()  # noqa: N815


class IdentitySerializer(serializers.Serializer[Any]):
    """The identity of the caller. A machine has no user name."""

    sub = serializers.CharField()
    userName = serializers.CharField(allow_null=True)  # noqa: N815
    clientId = serializers.CharField()  # noqa: N815


class CallerDataSerializer(serializers.Serializer[Any]):
    """The other data about the caller."""

    email = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    groups = serializers.ListField(child=serializers.CharField(), help_text="Groups of the pool.")
    scopes = serializers.ListField(child=serializers.CharField(), help_text="Of the access token.")
    permissions = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Django's permissions on this site, only with `include=permissions`.",
    )
    tokenExpiresAt = serializers.DateTimeField(allow_null=True)  # noqa: N815


class CallerSerializer(serializers.Serializer[Any]):
    """The response of /api/user."""

    identity = IdentitySerializer()
    data = CallerDataSerializer()  # type: ignore[assignment] # the wire's name


@extend_schema_field(
    {"anyOf": [{"type": "object", "additionalProperties": {}}, {"type": "array", "items": {}}]}
)
class _InvalidValues(serializers.JSONField):
    """The errors of Django REST framework: a list if the body is one, otherwise an object."""


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "An invalid value",
            {
                "detail": "month: Enter a month from 1 to 12.",
                "code": "invalid",
                "error": "month: Enter a month from 1 to 12.",
                "fields": {"month": ["Enter a month from 1 to 12."]},
            },
            status_codes=["400"],
        )
    ]
)
class ErrorSerializer(serializers.Serializer[Any]):
    """The body of every error response."""

    detail = serializers.CharField(help_text="What happened and what to do next.")
    code = serializers.CharField(
        help_text="A stable code, to compare in programs. `x-error-codes` of a response lists its "
        "values."
    )
    error = serializers.CharField(help_text="The same as `detail`, for the original UI.")
    fields = _InvalidValues(  # type: ignore[assignment]
        required=False, help_text="The messages for invalid values, by name."
    )
    login_url = serializers.CharField(
        required=False, help_text="Where a user signs in, for scripts on pages of this site."
    )
