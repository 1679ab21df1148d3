"""The admin site, with sign-in through the hosted UI and the sign-out of this site."""

from __future__ import annotations

from functools import update_wrapper
from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import path, reverse
from django.views.decorators.csrf import csrf_exempt

from ..audit import rights
from ..core.app_label import template_name
from ..core.navigation import safe_next_url
from ..models import SignIn, SignInEvent
from ..problems import unauthenticated
from ..sessions.decorators import renewal_exempt
from ..sessions.views import SignOutView
from .break_glass import BreakGlassView
from .checked_admin import CheckedAdmin
from .dashboard import dashboard, list_url
from .step_up import required_challenge


class SingleSignOnAdminSite(AdminSite):
    """Django's admin site with single sign-on.

    A signed-in user who is not staff gets the 403 page at the requested URL. Django would redirect
    this user to the sign-in, and the sign-in would redirect back.
    """

    index_template = template_name("admin/index.html")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register models as Django does, with CheckedAdmin as a base of their admin class."""
        admin_class = admin_class or ModelAdmin
        members = {"__doc__": admin_class.__doc__, "__module__": admin_class.__module__}
        checked = type(admin_class.__name__, (CheckedAdmin, admin_class), members)
        super().register(model_or_iterable, checked, **options)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        django_view = super().admin_view(view, cacheable)

        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if self.has_permission(request) or view == self.logout:
                if (challenge := required_challenge(request, self._registry)) is not None:
                    return challenge
                try:
                    # A form saves flags, groups and permissions one after the other.
                    with rights.single_event():
                        return django_view(request, *args, **kwargs)
                except IncorrectLookupParameters as error:  # changelists handle it themselves
                    raise BadRequest("The URL has a filter that this page cannot use.") from error
            return self._redirect_to_sign_in(request, request.get_full_path())

        return update_wrapper(wrapper, django_view)

    def _redirect_to_sign_in(self, request: HttpRequest, next_url: str) -> HttpResponseRedirect:
        if request.user.is_authenticated:
            raise PermissionDenied("The user is not staff.")
        return HttpResponseRedirect(unauthenticated.sign_in_url(next_url))

    def get_urls(self) -> list[Any]:
        view = login_not_required(BreakGlassView.as_view(site=self))
        return [path("break-glass/", view, name="break_glass"), *super().get_urls()]

    @login_not_required
    def login(  # type: ignore[override] # it does not render a form
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        next_url = safe_next_url(request)
        if not next_url or next_url.partition("?")[0] == request.path:
            next_url = reverse("admin:index", current_app=self.name)
        if self.has_permission(request):
            return HttpResponseRedirect(next_url)
        return self._redirect_to_sign_in(request, next_url)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {
            "overview": dashboard(request),
            "refusals_url": list_url(SignInEvent, kind__exact="refused"),
            "sessions_url": list_url(SignIn, ended_at__isempty=1),
            "users_url": list_url(get_user_model()),
        }
        return super().index(request, context | (extra_context or {}))

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Change a break-glass password. Pool users get 404: they have no password here."""
        user: Any = request.user
        if not user.has_usable_password():
            raise Http404("The user does not have a password on this site.")
        return super().password_change(request, extra_context)

    @csrf_exempt
    @renewal_exempt
    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        response: HttpResponseBase = SignOutView.as_view()(request)
        return response
