"""COGNITO_ADMIN_STEP_UP: changes of users and rights in the admin require a recent sign-in."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from ..core.app_label import LABEL
from ..provider import provider
from ..sessions import step_up

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")


def required_challenge(request: HttpRequest, models: Iterable[type[Model]]) -> HttpResponse | None:
    """Return the way to a new sign-in, or None if the request may continue.

    `models` are those of the admin site.

    Every form and action on users, identities, sign-ins, groups and invitations is covered, and no
    page that only shows them.
    """
    requirement = provider().sign_in_options.admin_step_up
    if (
        requirement is None
        or request.method in _SAFE_METHODS
        or not _is_about_users(request, models)
    ):
        return None
    if step_up.is_met(request, requirement):
        return None
    messages.warning(request, "Nothing was changed. After you sign in again, repeat the change.")
    return step_up.challenge(request, requirement)


def _is_about_users(request: HttpRequest, models: Iterable[type[Model]]) -> bool:
    """Return True for a page of this app, of users, groups or permissions, by the URL's name."""
    labels = {LABEL, get_user_model()._meta.app_label, Permission._meta.app_label}
    prefixes = {f"{label}_" for label in labels} | {
        f"{model._meta.app_label}_{model._meta.model_name}_"  # another app may have a proxy
        for model in models
        if model._meta.concrete_model in (get_user_model(), Group, Permission)
    }
    name = (request.resolver_match and request.resolver_match.url_name) or ""
    return name.startswith(tuple(prefixes))
