"""The API's own endpoints: exchange a code, describe the caller."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import (
    NotAuthenticated,
    NotFound,
    ParseError,
    PermissionDenied,
    ValidationError,
)
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..cognito.errors import (
    CognitoError,
    GrantRejected,
    RequestRejected,
    SignInRejected,
    TokenRejected,
    TokenRevoked,
    WrongResource,
)
from ..core.request_meta import subnet_of
from ..problems.catalog import problem_for
from ..problems.errors import SignedOutEverywhere, TooManyFailures, UserDeactivated
from ..problems.unauthenticated import NOT_AUTHENTICATED
from ..provider import provider
from ..sessions import app_sign_ins
from ..signin.code_exchange import exchange_code
from ..tokens.call_budget import call_budget
from .authentication import CognitoAuthentication, claims_of_any_age
from .caller import describe_caller
from .documented_errors import (
    DATABASE,
    MISCONFIGURED,
    NEW_USER,
    NO_ACCESS,
    TOKEN_CODES,
    UNAVAILABLE,
    Errors,
    raises,
)
from .errors import to_api_exception, unavailable
from .parsers import SafeJSONParser
from .serializers import (
    CallerSerializer,
    CodeSerializer,
    RefreshTokenSerializer,
    TokensSerializer,
)

_log = logging.getLogger(__name__)


class TokensView(APIView):
    """Exchange the authorization code of a single-page app for tokens."""

    name = "Get tokens"
    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = (SafeJSONParser,)
    http_method_names: Sequence[str] = ("post", "options")
    errors: ClassVar[Errors] = {
        400: (
            "invalid",
            "redirect_uri_not_allowed",
            *(kind.code for kind in (GrantRejected, RequestRejected, SignInRejected)),
            WrongResource.code,
            SignedOutEverywhere.code,
        ),
        403: {*NO_ACCESS, UserDeactivated.code},
        429: (TooManyFailures.code,),
        503: {*UNAVAILABLE, *MISCONFIGURED, *DATABASE, *NEW_USER, *TOKEN_CODES},
    }

    @extend_schema(
        operation_id="get_tokens",
        summary="Exchange an authorization code for tokens",
        description="For a single-page app that signs users in at the hosted UI itself. A code "
        "works only once and for five minutes.",
        request=CodeSerializer,
        responses=TokensSerializer,
    )
    @raises(errors)
    def post(self, request: Request) -> Response:
        return self.exchange(request, lambda: request.data)

    def exchange(self, request: Request, read_data: Callable[[], Any]) -> Response:
        """Return the tokens for what `read_data` returns, within the budget of the caller's subnet.

        Requests that are refused for any reason count, before their body is read.
        """
        try:
            with call_budget(subnet_of(request._request)):
                return self._exchange(request, read_data())
        except CognitoError as error:
            raise _refusal(error) from error

    def _exchange(self, request: Request, data: Any) -> Response:
        serializer = CodeSerializer(data=data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        if values["redirectUri"] not in provider().spa_redirect_uris:
            raise ParseError(
                "This redirectUri is not allowed here; COGNITO_SPA_REDIRECT_URIS names those that "
                "are.",
                code="redirect_uri_not_allowed",
            )
        tokens = exchange_code(
            request._request,
            code=values["code"],
            redirect_uri=values["redirectUri"],
            code_verifier=values.get("codeVerifier"),
        )
        output = TokensSerializer(
            {
                "accessToken": tokens.access_token,
                "refreshToken": tokens.refresh_token or "",
                "idToken": tokens.id_token,
            }
        )
        return Response(output.data, headers={"Cache-Control": "no-store"})


def _refusal(error: CognitoError) -> Exception:
    """Return 400 for what the caller can change, 403 for a user without access, else 503 or 429."""
    problem = problem_for(error)
    if isinstance(error, GrantRejected):
        return ParseError(f"{gettext(problem.what)} {gettext(problem.why)}", code=error.code)
    if isinstance(error, RequestRejected):
        return ParseError(
            "The code belongs to another redirectUri or another app client.",
            code=error.code,
        )
    if isinstance(error, SignInRejected):
        return PermissionDenied(problem.sentence, code=error.code)
    if isinstance(error, WrongResource):  # the app asked for another one at the hosted UI
        return ParseError(error.message, code=error.code)
    if isinstance(error, SignedOutEverywhere):  # the app has to send `prompt=login`
        return ParseError(problem.sentence, code=error.code)
    if isinstance(error, TokenRejected):  # the tokens are from Cognito, not from the caller
        _log.error("Tokens that the pool has just issued are not valid here: %s", error.message)
    elif problem.setting_names:
        _log.error("A code was not exchanged (%s): %s", problem.setting_names, error.message)
    return unavailable(error)


class AppSignOutView(APIView):
    """Sign out a single-page app: end its sign-in, and revoke its tokens."""

    name = "Sign out"
    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = (SafeJSONParser,)
    http_method_names: Sequence[str] = ("post", "options")
    errors: ClassVar[Errors] = {
        401: {*TOKEN_CODES, NOT_AUTHENTICATED},
        403: ("permission_denied",),
        429: (TooManyFailures.code,),
        503: {*UNAVAILABLE, *MISCONFIGURED, *DATABASE},
    }

    @extend_schema(
        operation_id="sign_out",
        summary="Sign out a single-page app",
        description="Ends its sign-in, and revokes its tokens. The access token may have expired. "
        "Send the refresh token too if the app did not get its tokens from this API. Afterwards, "
        "open the hosted UI's `/logout`: otherwise, the next sign-in needs no password.",
        request=RefreshTokenSerializer,
        responses={204: None},
        auth=[{"Cognito": []}, {"PastedAccessToken": []}],  # type: ignore[list-item]
    )
    @raises(errors)
    def post(self, request: Request) -> Response:
        try:
            claims = claims_of_any_age(request)
        except TokenRevoked:
            return Response(status=204)  # signed out already
        except CognitoError as error:
            raise to_api_exception(request, error) from error
        if claims is None:
            raise NotAuthenticated
        if claims.is_machine or claims.actors or claims.pool_id != provider().pool.pool_id:
            raise PermissionDenied("This token is not of a sign-in that it could end.")
        serializer = RefreshTokenSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        sent = request.META.get("HTTP_X_REFRESH_TOKEN") or serializer.validated_data["refreshToken"]
        is_ours = claims.client_id == provider().config.client_id
        with call_budget(f"{subnet_of(request._request)} {claims.subject}"):
            app_sign_ins.sign_out(
                request._request, claims, unverified_refresh_token=sent if is_ours else ""
            )
        return Response(status=204, headers={"Cache-Control": "no-store"})

    def get_authenticate_header(self, request: Request) -> str:
        return CognitoAuthentication().authenticate_header(request)


class CallerView(APIView):
    """Describe the caller: its identity, groups and scopes."""

    name = "User"
    permission_classes = (IsAuthenticated,)
    serializer_class: type[CallerSerializer] = CallerSerializer

    @extend_schema(
        operation_id="get_user",
        summary="Describe the caller",
        description="Its identity, names, groups and scopes.",
        parameters=[
            OpenApiParameter(
                "include",
                {"type": "string", "enum": ["permissions"]},
                description="`permissions` for the list of all permissions of a user.",
            )
        ],
    )
    def get(self, request: Request) -> Response:
        # The serializer describes this response. Serializing through it would be slower.
        return Response(self.describe(request), headers={"Cache-Control": "no-store"})

    def describe(self, request: Request) -> dict[str, Any]:
        """Return the body of the response. A host project can add what its clients need."""
        include = request.query_params.get("include")
        if include not in (None, "permissions"):
            raise ValidationError({"include": ["The only value is permissions."]})
        return describe_caller(request, with_permissions=include is not None)


class NotFoundView(APIView):
    """The 404 for every other URL below /api/, in the shape of all errors."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    schema = None
    name = "API"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound(gettext("The API has no endpoint at this URL. See /docs."))
