"""The admin's entrance: through the hosted UI, and out through our own sign-out."""

from __future__ import annotations

from functools import update_wrapper
from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import path, reverse

from ..audit import rights
from ..core.app_label import template
from ..core.navigation import safe_next_url
from ..models import SignInEvent
from ..problems import unauthenticated
from ..sessions.decorators import without_renewal
from ..sessions.views import SignOutView
from .break_glass import BreakGlassView
from .checked_admin import CheckedAdmin
from .dashboard import site_overview


class SingleSignOnAdminSite(AdminSite):
    """Django's own with another door.

    Whoever is signed in and is not staff gets the 403 page at the address they asked for. Django
    would lead them to sign in, and signing in would lead them back.
    """

    index_template = template("admin/index.html")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register models as Django does, with CheckedAdmin added to their admin class."""
        admin_class = admin_class or ModelAdmin
        members = {"__doc__": admin_class.__doc__, "__module__": admin_class.__module__}
        checked = type(admin_class.__name__, (CheckedAdmin, admin_class), members)
        super().register(model_or_iterable, checked, **options)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if self.has_permission(request) or view == self.logout:
                try:
                    with rights.one_event():  # a form changes flags, groups, permissions in turn
                        return inner(request, *args, **kwargs)
                except IncorrectLookupParameters as error:  # of a page that is not the list itself
                    raise BadRequest("The URL holds a filter that this page cannot use.") from error
            return self._turned_away(request, request.get_full_path())

        return update_wrapper(guarded, inner)

    def _turned_away(self, request: HttpRequest, next_url: str) -> HttpResponseRedirect:
        if request.user.is_authenticated:
            raise PermissionDenied("not staff")
        return HttpResponseRedirect(unauthenticated.sign_in_address(next_url))

    def get_urls(self) -> list[Any]:
        entrance = login_not_required(BreakGlassView.as_view(site=self))
        return [path("break-glass/", entrance, name="break_glass"), *super().get_urls()]

    @login_not_required
    def login(  # type: ignore[override] # no form is rendered here
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        next_url = safe_next_url(request)
        if not next_url or next_url.partition("?")[0] == request.path:
            next_url = reverse("admin:index", current_app=self.name)
        if self.has_permission(request):
            return HttpResponseRedirect(next_url)
        return self._turned_away(request, next_url)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        events = f"admin:{SignInEvent._meta.app_label}_{SignInEvent._meta.model_name}_changelist"
        context = {
            "overview": site_overview(request),
            "events_address": reverse(events, current_app=self.name),
        }
        return super().index(request, context | (extra_context or {}))

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """For the password of break-glass; people of the pool have none here."""
        user: Any = request.user
        if not user.has_usable_password():
            raise Http404("no password here")
        return super().password_change(request, extra_context)

    @without_renewal
    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        response: HttpResponseBase = SignOutView.as_view()(request)
        return response
