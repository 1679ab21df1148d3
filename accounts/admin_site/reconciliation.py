"""The reconciliation of selected users with the pool in the admin: a preview, then a confirmation.

The rules are those of `manage.py cognito_reconcile_users`. Staff cannot deactivate their own
account.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..core.app_label import template_name
from ..directory import reconciliation
from ..directory.reconciliation import Difference
from ..models import Identity
from ..models.users import display_name
from ..problems.errors import TooManyDeactivations
from ..provider import aws, user_pool
from .actions import selected_users
from .view_permission import can_view

_MAX_SHOWN = 200  # differences on the page


@admin.action(permissions=["deactivate_users"], description=gettext_lazy("Compare with the pool"))
def reconcile(
    modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any]
) -> HttpResponse | None:
    """Return a page that shows the users to deactivate, or deactivate them once confirmed.

    The page's button runs this action again for the users to deactivate only. They are then
    compared with the pool again.
    """
    if reason := user_pool.unavailable_reason():
        messages.error(request, reason)
        return None
    users = selected_users(request, queryset)
    try:
        differences = reconciliation.find_differences(users, exclude=request.user)
        if request.POST.get("confirmed"):
            _deactivate(modeladmin, request, differences)
            return None
    except (aws.AwsError, TooManyDeactivations) as problem:
        messages.error(request, f"{problem} " + _("Nothing was changed."))
        return None
    if not differences:
        text = _("No differences from the pool. Users compared: %(count)d.")
        messages.success(request, text % {"count": len(users)})
        return None
    return _page(modeladmin, request, differences, user_count=len(users))


def _deactivate(modeladmin: Any, request: HttpRequest, differences: list[Difference]) -> None:
    deactivations = reconciliation.deactivate(differences)
    for item in deactivations:
        modeladmin.log_change(request, item.identity.user, "Deactivated, as in the pool.")
        name = _name(request, item.identity)
        text = _("%(name)s was deactivated. State in the pool: %(state)s.")
        messages.warning(request, text % {"name": name, "state": item.state})
    for item in differences:
        if item.keep_reason:
            name = _name(request, item.identity)
            text = _("%(name)s stays active: %(reason)s. State in the pool: %(state)s.")
            values = {"name": name, "reason": item.keep_reason, "state": item.state}
            messages.warning(request, text % values)
    if not deactivations:
        messages.success(request, _("No user was deactivated."))


def _name(request: HttpRequest, identity: Identity) -> str:
    if can_view(request, Identity):
        return str(identity)
    return display_name(identity.user, with_identities=False)


def _page(
    modeladmin: Any, request: HttpRequest, differences: list[Difference], *, user_count: int
) -> HttpResponse:
    deactivations = reconciliation.to_deactivate(differences)
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": _("Compare with the pool"),
        "opts": modeladmin.opts,
        "differences": differences[:_MAX_SHOWN],
        "omitted_count": len(differences[_MAX_SHOWN:]),
        "deactivations": deactivations,
        "user_count": user_count,
        "can_view_identities": can_view(request, Identity),
        "limit_error": reconciliation.limit_error(deactivations),
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "from_user": request.POST.get("from_user", ""),
    }
    return TemplateResponse(request, template_name("admin/reconciliation.html"), context)
