"""Comparing people with the pool in the admin: shown first, done after a question.

The rules are those of `manage.py reconcile_users`, and nobody deactivates themselves.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from ..core.app_label import template
from ..directory import reconciliation
from ..directory.reconciliation import Difference
from ..models import Identity
from ..problems.errors import TooManyDeactivations
from ..provider import aws, user_pool
from .actions import people_meant
from .view_permission import can_view

_SHOWN = 200  # lines


@admin.action(permissions=["manage_people"], description="Compare with the pool")
def reconcile(modeladmin: Any, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
    """A page that tells who would be deactivated; its button comes back here with just those
    people, who are compared once more."""
    if reason := user_pool.why_unavailable():
        messages.error(request, reason)
        return None
    people = people_meant(request, rows)
    try:
        found = reconciliation.compare(people, spared=request.user)
        if request.POST.get("confirmed"):
            _deactivate(modeladmin, request, found)
            return None
    except (aws.AwsProblem, TooManyDeactivations) as problem:
        messages.error(request, f"{problem} Nothing was changed.")
        return None
    if not found:
        messages.success(request, f"As the pool has them: {len(people)}.")
        return None
    return _page(modeladmin, request, found, compared=len(people))


def _deactivate(modeladmin: Any, request: HttpRequest, found: list[Difference]) -> None:
    done = reconciliation.deactivate_all(found)
    for each in done:
        modeladmin.log_change(request, each.identity.user, "Deactivated, as in the pool.")
        name = _name(request, each.identity)
        messages.warning(request, f"{name} is {each.state}: deactivated here.")
    for each in found:
        if each.keep_reason:
            name = _name(request, each.identity)
            messages.warning(request, f"{name} is {each.state}, but kept: {each.keep_reason}.")
    if not done:
        messages.success(request, "Nobody was deactivated.")


def _name(request: HttpRequest, identity: Identity) -> str:
    return str(identity if can_view(request, Identity) else identity.user)


def _page(
    modeladmin: Any, request: HttpRequest, found: list[Difference], *, compared: int
) -> HttpResponse:
    lost = reconciliation.to_deactivate(found)
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": "Compare with the pool",
        "opts": modeladmin.opts,
        "found": found[:_SHOWN],
        "left_out": len(found[_SHOWN:]),
        "lost": lost,
        "compared": compared,
        "shows_identities": can_view(request, Identity),
        "refusal": reconciliation.why_too_many(lost),
        "checkbox": ACTION_CHECKBOX_NAME,
        "from_person": request.POST.get("from_person", ""),
    }
    return TemplateResponse(request, template("admin/reconciliation.html"), context)
