"""The authentication backends: sign-in through Cognito, and the break-glass password.

A host project may list a subclass of `CognitoBackend`. Its hooks are in users/backend_hooks.py.
"""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from .audit.attempt_log import log_step
from .core.request_meta import subnet_of
from .provider import provider
from .sessions.limits import break_glass_enabled
from .signin.flow import CodeGrant
from .signin.oidc_settings import oidc_setting
from .tokens.grants import verified_grant
from .users.backend_hooks import BackendHooks
from .users.backend_hooks import UserClaims as UserClaims
from .users.provisioning import get_or_create_user


class CognitoBackend(BackendHooks):
    """mozilla-django-oidc's backend, with Cognito's tokens verified by this project.

    `authenticate(request, grant=CodeGrant(...))` leaves the tokens on `request.granted_tokens`. It
    raises the leaves of CognitoError, which say why a sign-in was refused.
    """

    get_settings = staticmethod(oidc_setting)

    # Overridden whole: upstream builds redirect_uri from the Host header and has no hook for it.
    def authenticate(
        self, request: HttpRequest | None, grant: CodeGrant | None = None, **credentials: Any
    ) -> AbstractBaseUser | None:
        if request is None or grant is None:
            return None
        self.request = request
        started = time.monotonic()
        tokens = provider().token_endpoint.exchange(
            code=grant.code,
            redirect_uri=provider().callback_url,
            code_verifier=grant.attempt.code_verifier,
            subnet=subnet_of(request),
        )
        log_step(grant.attempt.reference, "token", ms=round((time.monotonic() - started) * 1000))
        granted = verified_grant(tokens, nonce=grant.attempt.nonce)
        user = get_or_create_user(
            granted.id_claims, access_token=tokens.access_token, id_token=tokens.id_token
        )
        request.granted_tokens = granted  # type: ignore[attr-defined]
        return user  # type: ignore[no-any-return]

    def get_user(self, user_id: Any) -> Any:
        """Return the user of a session, or None if deactivated. (Upstream returns those, too.)"""
        try:
            user = self.UserModel._default_manager.get(pk=user_id)
        except self.UserModel.DoesNotExist:
            return None
        return user if user.is_active else None


class BreakGlassBackend(ModelBackend):
    """Django's backend, for active staff, while break-glass is on."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Any:
        if not break_glass_enabled():
            return None
        return super().authenticate(request, username=username, password=password, **kwargs)

    def user_can_authenticate(self, user: Any) -> bool:
        return super().user_can_authenticate(user) and bool(getattr(user, "is_staff", False))

    def get_user(self, user_id: Any) -> Any:
        return super().get_user(user_id) if break_glass_enabled() else None
