"""Cells of admin pages: users with links, and audit events in words, next to their stable codes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django.contrib.admin.utils import quote as admin_quote
from django.db.models import Model
from django.urls import NoReverseMatch, get_resolver, get_script_prefix, get_urlconf, reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from ..models import EventKind, SignIn, SignInEvent
from ..models.users import display_name

# By the code of the error, or the `reason` that the code passes to `record_event`.
REASONS: dict[str, Any] = {
    "actor_rejected": _("the token's actor isn't accepted here"),
    "admin": _("in the admin"),
    "another page": _("on another page"),
    "bad_signature": _("the token has a wrong signature"),
    "break_glass": _("with a password (break-glass)"),
    "claim_rejected": _("a claim of the token is missing or wrong"),
    "claims_refused": _("this site's rules don't accept the account"),
    "client_rejected": _("Cognito rejected the app client's ID or secret"),
    "cognito_error": _("an unexpected answer of Cognito"),
    "cognito_unavailable": _("Cognito didn't respond"),
    "configuration": _("this site's settings don't match the user pool"),
    "disabled_in_pool": _("disabled in the pool"),
    "gone_in_pool": _("deleted in the pool"),
    "grant_rejected": _("the code or refresh token was used already, or expired"),
    "hook": _("by a hook of the site"),
    "insufficient_user_authentication": _("a stronger or more recent sign-in is required"),
    "invalid_callback": _("the callback was incomplete or malformed"),
    "malformed_token": _("the token is malformed"),
    "nonce_mismatch": _("the token belongs to another attempt"),
    "operator": _("by an operator's command"),
    "pool_groups": _("the groups in the pool changed"),
    "provider_refused": _("Cognito sent the browser back without a sign-in"),
    "renewal_unavailable": _("Cognito didn't respond to a renewal"),
    "request_rejected": _("Cognito rejected the request: check URL, scopes and app client"),
    "revocations_unavailable": _("the database didn't respond"),
    "session_ended": _("the session has ended"),
    "session_lost": _("the browser didn't send the session cookie"),
    "sign_in_rejected": _("the attempt expired, or began in another browser"),
    "state_mismatch": _("the callback belongs to no attempt of this browser"),
    "throttled": _("too many failures from this network"),
    "token_endpoint": _("Cognito's token endpoint returned an error"),
    "token_expired": _("the token has expired"),
    "token_rejected": _("the token didn't pass the checks"),
    "token_revoked": _("the token was revoked"),
    "signed_out_everywhere": _("signed out everywhere since that sign-in"),
    "exchange_rejected": _("Cognito issued no token for the other API"),
    "unknown_key": _("the token was signed with an unknown key"),
    "unknown_user": _("no account on this site"),
    "user_deactivated": _("the account here is deactivated"),
    "user_not_created": _("the account couldn't be stored"),
    "verified_email": _("by verified email address"),
    "wrong_client": _("the token is for another app client"),
    "wrong_issuer": _("the token is of another user pool"),
    "wrong_resource": _("the token is for another API"),
    "wrong_token_use": _("an ID token instead of an access token, or the reverse"),
    **dict(SignIn.EndReason.choices),
}


def user_link(user: Model | None) -> str:
    """Return a link to the user's page, or the plain name if the admin does not have that page."""
    if user is None:
        return "-"
    try:
        url = row_url(user, "admin")
    except NoReverseMatch:
        return display_name(user)
    return format_html('<a href="{}">{}</a>', url, display_name(user))


def row_url(instance: Model, site_name: str) -> str:
    """Return the URL of an object's page in the admin. Only one is reversed for all rows."""
    opts = instance._meta
    view = f"admin:{opts.app_label}_{opts.model_name}_change"
    before, after = _around_pk(view, site_name, get_script_prefix(), get_resolver(get_urlconf()))
    return f"{before}{quote(str(admin_quote(instance.pk)))}{after}"


@lru_cache(maxsize=256)
def _around_pk(view: str, site_name: str, *context: Any) -> tuple[str, str]:
    before, _zero, after = reverse(view, args=["0"], current_app=site_name).rpartition("0")
    return before, after


def event_user(event: SignInEvent) -> str:
    """Return a link to the user, and the username at the pool at that time if it differs."""
    username = event.pool_username
    if event.user is None:
        return username or "-"
    if not username or username == display_name(event.user):
        return user_link(event.user)
    return format_html('{} <span class="quiet">{}</span>', user_link(event.user), username)


def reason_in_words(reason: str) -> str:
    """Return a `reason` in words, or the code itself if it has none."""
    return str(REASONS.get(reason, reason))


def event_in_words(event: SignInEvent) -> str:
    """Return HTML: the kind of the event, the reason in words, and its code."""
    return _in_words(event.kind, event.reason, get_language())


@lru_cache(maxsize=1024)  # a list shows the same events again and again
def _in_words(code: str, reason: str, language: str | None) -> str:
    kind = capfirst(EventKind(code).label if code in EventKind else code)
    words = reason_in_words(reason)
    if not reason or words == kind.lower():
        return format_html("{}", kind)
    if words == reason:
        return format_html("{}: {}", kind, words)
    return format_html('{}: {} <code class="quiet">{}</code>', kind, words, reason)
