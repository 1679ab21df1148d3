"""The profile page, and the views that end one session, sign out, or sign out everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import auth, messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import TemplateView, View
from mozilla_django_oidc.views import OIDCLogoutView

from ..core.app_label import cookie_name, layout, page_url, template_name
from ..core.navigation import safe_next_url
from ..core.request_meta import device_name
from ..models import SignIn
from ..models.users import display_name
from ..problems.page import render_method_not_allowed
from ..users.copied_claims import email_of
from ..users.token_rights import effective_groups
from . import cognito_sessions, return_page, sign_out
from .decorators import renewal_exempt
from .own_origin import is_own_post


@dataclass(frozen=True)
class Session:
    """One of the user's sign-ins, as the profile lists it."""

    sign_in: SignIn
    device: str
    is_current: bool


def list_sessions(request: HttpRequest) -> list[Session]:
    """Return the user's live sign-ins: this browser's first, then the most recently seen."""
    current: SignIn | None = request.sign_in  # type: ignore[attr-defined]
    sign_ins = SignIn.objects.live().filter(user=request.user.pk)
    sessions = [
        Session(
            sign_in, device_name(sign_in.device), current is not None and sign_in.pk == current.pk
        )
        for sign_in in sign_ins
    ]
    return sorted(
        sessions,
        key=lambda session: (session.is_current, session.sign_in.last_seen_at),
        reverse=True,
    )


@method_decorator(never_cache, name="dispatch")
class ProfileView(LoginRequiredMixin, TemplateView):
    """The user's identity, groups, access token lifetime, and sessions."""

    template_name = template_name("profile.html")
    extra_context = {"layout": layout}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sign_in: SignIn | None = self.request.sign_in  # type: ignore[attr-defined]
        identity = sign_in.identity if sign_in is not None else None
        tokens = sign_in if sign_in is not None and not sign_in.is_break_glass else None
        user: Any = self.request.user
        profile = {
            "name": (identity and identity.name) or display_name(user),
            "username": identity.username if identity else user.get_username(),
            "email": identity.email if identity else email_of(user),
            "subject": identity.subject if identity else "",
            "client_id": sign_in.client_id if sign_in else "",
            "groups": effective_groups(identity) if identity else (),
            "access_token_expires_at": tokens.access_expires_at if tokens else None,
            "is_break_glass": sign_in is not None and sign_in.is_break_glass,
            "signed_in_at": sign_in.signed_in_at if sign_in else None,
        }
        return super().get_context_data(
            **kwargs,
            profile=profile,
            sessions=list_sessions(self.request),
            cognito_sessions=cognito_sessions.list_sessions(user, sign_in),
        )


# These views must work while Cognito is unavailable.
@method_decorator((never_cache, renewal_exempt), name="dispatch")
class EndSessionView(LoginRequiredMixin, View):
    """A view that ends one of the user's sessions. Ending this browser's own is a sign-out."""

    http_method_names = ("post",)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kw: Any) -> HttpResponse:
        return render_method_not_allowed(request, ["POST"], page_url("profile"))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        sign_in = get_object_or_404(SignIn.objects.filter(user=request.user.pk), pk=pk)
        current: SignIn | None = request.sign_in  # type: ignore[attr-defined]
        if current is not None and sign_in.pk == current.pk:
            return redirect_after_sign_out(sign_out.sign_out(request))
        device = device_name(sign_in.device)
        if sign_out.end_sign_in(sign_in, reason=SignIn.EndReason.ENDED_BY_USER, request=request):
            text = _("Ended: %(device)s.") % {"device": device}
            messages.success(request, text, fail_silently=True)
        else:
            ended = _("Ended here: %(device)s.") % {"device": device}
            text = f"{ended} {_(sign_out.UNREACHED_FOR_USERS)}"
            messages.warning(request, text, fail_silently=True)
        return HttpResponseRedirect(page_url("profile"))


@method_decorator((never_cache, renewal_exempt, csrf_exempt), name="dispatch")
class SignOutEverywhereView(LoginRequiredMixin, TemplateView):
    """A confirmation that lists the sessions, and the sign-out from all of them."""

    template_name = template_name("sign_out_everywhere.html")
    extra_context = {"layout": layout}
    http_method_names = ("get", "head", "post")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs,
            sessions=list_sessions(self.request),
            cognito_sessions=cognito_sessions.list_sessions(
                self.request.user,
                self.request.sign_in,  # type: ignore[attr-defined]
            ),
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        if not is_own_post(request):
            return self.render_to_response(self.get_context_data(), status=403)
        signed_out = sign_out.sign_out_everywhere(request.user, request=request)
        auth.logout(request)
        return redirect_after_sign_out(signed_out)


@method_decorator((never_cache, renewal_exempt, csrf_exempt), name="dispatch")
class SignOutView(OIDCLogoutView):  # type: ignore[misc]
    """The sign-out: it ends the session, revokes the refresh token, and redirects to `/logout`.

    It does not depend on the age of the page with the button. A GET, and a POST of another site,
    get a page with the button.
    """

    http_method_names = ("get", "head", "post", "options")

    def get(self, request: HttpRequest, *, status: int = 200) -> HttpResponse:
        context = {"next_url": safe_next_url(request), "layout": layout}
        return render(request, template_name("sign_out.html"), context, status=status)

    def post(self, request: HttpRequest) -> HttpResponse:
        if not is_own_post(request):
            return self.get(request, status=403)
        response = redirect_after_sign_out(sign_out.sign_out(request))
        return_page.store(response, safe_next_url(request))
        return response


def redirect_after_sign_out(signed_out: sign_out.SignOutResult) -> HttpResponse:
    """Redirect to Cognito's `/logout`, which redirects to the signed-out page."""
    # If Cognito did not respond, the browser would not reach it either, so the page says so.
    unreached = f"{page_url('signed_out')}?{urlencode({'unreached': 1})}"
    response = HttpResponseRedirect(signed_out.url if signed_out.cognito_reached else unreached)
    # Forms of this user that are still open end, too: the next user may sit at the same browser.
    response.delete_cookie(cookie_name("csrf_user"), samesite="Lax")
    return response


@method_decorator((never_cache, renewal_exempt), name="dispatch")
class SignedOutView(TemplateView):
    """The page after signing out (the registered `logout_uri`)."""

    template_name = template_name("signed_out.html")
    extra_context = {"layout": layout}

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        page = return_page.load(request)
        if page and not request.user.is_authenticated and "unreached" not in request.GET:
            response = HttpResponseRedirect(page)
            return response if request.method == "HEAD" else return_page.clear(response)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs,
            unreached=_(sign_out.UNREACHED_FOR_USERS) if "unreached" in self.request.GET else "",
            logout_url=sign_out.cognito_logout_url(),
        )
