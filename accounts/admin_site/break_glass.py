"""The password page of the admin. It responds with 404 unless break-glass is on."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import auth
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from ..audit import events
from ..core.app_label import template_name
from ..models import EventKind
from ..sessions import limits
from ..sessions.decorators import renewal_exempt
from ..signin import break_glass, flow


@method_decorator(
    (sensitive_post_parameters(), csrf_protect, never_cache, renewal_exempt), name="dispatch"
)
class BreakGlassView(FormView):  # type: ignore[type-arg]
    """The form for the username and password of a staff user. Failed attempts are recorded."""

    form_class = AdminAuthenticationForm
    template_name = template_name("admin/break_glass.html")
    site: AdminSite | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not limits.break_glass_enabled():
            raise Http404("break-glass is off")
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        username = request.POST.get("username", "")
        if excess := break_glass.count_attempt(request, username):
            if excess == 1:  # one event only, so that further attempts do not fill the table
                self._record_refusal(username, "too many attempts")
            context = self.get_context_data(form=self.form_class(request), is_throttled=True)
            response = self.render_to_response(context, status=429)
            response["Retry-After"] = str(break_glass.WINDOW)
            return response
        return super().post(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: Any) -> HttpResponse:
        flow.sign_in_with_password(self.request, form.get_user())
        return HttpResponseRedirect(reverse("admin:index"))

    def form_invalid(self, form: Any) -> HttpResponse:
        self._record_refusal(self.request.POST.get("username", ""), "wrong username or password")
        return super().form_invalid(form)

    def _record_refusal(self, username: str, why: str) -> None:
        model = auth.get_user_model()
        # An unknown username is not stored: it can be a password that was typed in the wrong field.
        name = break_glass.normalize_username(username)
        user = model._default_manager.filter(**{model.USERNAME_FIELD: name}).first()
        events.record_event(
            EventKind.REFUSED,
            user=user,
            reason=events.BREAK_GLASS_REASON,
            request=self.request,
            level=logging.WARNING,
            why=why,
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = self.site.each_context(self.request) if self.site else {}
        return super().get_context_data(**context, **kwargs, title=_("Break-glass sign-in"))
