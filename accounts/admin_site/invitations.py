"""The invitation of users to the pool from the admin, and the list of pending invitations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import get_permission_codename, get_user_model
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.generic import FormView

from ..audit import events
from ..core.app_label import template_name
from ..core.times import to_site_time
from ..core.translation import gettext_noop as _
from ..models import EventKind
from ..provider import aws, user_pool

_REMEDIES = {
    "UsernameExistsException": _("The pool already has a user with this username. Choose another."),
    "UnsupportedUserStateException": _("This user has already signed in, so nothing was sent."),
    "UserNotFoundException": _("The pool no longer has a user with this username."),
}


def _remedy(problem: aws.AwsError) -> str:
    return gettext(_REMEDIES.get(problem.code, "")) or str(problem)


@dataclass(frozen=True)
class Invitation:
    """A pool user who was invited and has not signed in yet."""

    username: str
    email: str
    expires_at: datetime

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()


def can_invite(request: HttpRequest) -> bool:
    """Return True if the staff user has the permission to add users."""
    opts = get_user_model()._meta
    return bool(request.user.has_perm(f"{opts.app_label}.{get_permission_codename('add', opts)}"))


def pending_invitations() -> list[Invitation]:
    """Return the pending invitations of the pool, the newest first.

    Raises aws.AwsError.
    """
    lifetime = user_pool.invitation_lifetime()
    pool_users = user_pool.list_users(only=f'cognito:user_status = "{user_pool.INVITED}"')
    invitations = [
        Invitation(
            pool_user.username, pool_user.email, to_site_time(pool_user.changed_at) + lifetime
        )
        for pool_user in pool_users
    ]
    return sorted(invitations, key=lambda invitation: invitation.expires_at, reverse=True)


class InvitationForm(forms.Form):
    email = forms.EmailField(label=gettext_lazy("Email address"), max_length=254)
    username = forms.RegexField(
        r"^\S+$",
        max_length=128,
        label=gettext_lazy("Pool username"),
        help_text=gettext_lazy(
            "If the pool uses email addresses as usernames, enter the email address."
        ),
        error_messages={"invalid": gettext_lazy("Enter a username without spaces.")},
    )


class InvitationsView(FormView):  # type: ignore[type-arg]
    """The form that invites a user, and the list of pending invitations."""

    form_class = InvitationForm
    template_name = template_name("admin/invitations.html")
    model_admin: Any = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not can_invite(request):
            raise PermissionDenied("The user does not have the permission to add users.")
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if user_pool.unavailable_reason():
            return self.get(request)
        if username := request.POST.get("resend", ""):
            return self._resend(username)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: forms.Form) -> HttpResponse:
        email, username = form.cleaned_data["email"], form.cleaned_data["username"]
        try:
            pool_user = user_pool.invite(username=username, email=email)
        except aws.AwsError as problem:
            form.add_error(None, _remedy(problem))
            return self.form_invalid(form)
        self._record(EventKind.INVITED, pool_user)
        text = gettext("Invited %(username)s. Cognito sends an email to %(email)s.")
        messages.success(self.request, text % {"username": username, "email": email})
        return HttpResponseRedirect(self.request.path)

    def _resend(self, username: str) -> HttpResponse:
        try:
            pool_user = user_pool.resend_invitation(username)
        except aws.AwsError as problem:
            messages.error(self.request, _remedy(problem))
        else:
            self._record(EventKind.INVITED_AGAIN, pool_user)
            text = gettext(
                "Invited %(username)s again. The earlier temporary password no longer works."
            )
            messages.success(self.request, text % {"username": username})
        return HttpResponseRedirect(self.request.path)

    def _record(self, kind: EventKind, pool_user: user_pool.PoolUser) -> None:
        events.record_event(
            kind,
            user=self.request.user,
            reason="admin",
            request=self.request,
            invited=pool_user.username,
            subject=pool_user.subject,  # a deleted user's username can be used again
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = self.model_admin.admin_site.each_context(self.request)
        unavailable_reason, invitations = user_pool.unavailable_reason(), []
        if not unavailable_reason:
            try:
                invitations = pending_invitations()
            except aws.AwsError as problem:
                unavailable_reason = str(problem)
        return super().get_context_data(
            **context,
            **kwargs,
            title=gettext("Invitations"),
            opts=self.model_admin.opts,
            unavailable_reason=unavailable_reason,
            invitations=invitations,
        )
