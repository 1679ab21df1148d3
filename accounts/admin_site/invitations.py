"""Inviting people to the pool from the admin, and seeing who has not come yet."""

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
from django.views.generic import FormView

from ..audit import events
from ..core.app_label import template
from ..models import EventKind
from ..provider import aws, user_pool

_REMEDIES = {
    "UsernameExistsException": "The pool has this username already. Choose another one.",
    "UnsupportedUserStateException": "They have signed in meanwhile: no invitation is needed.",
    "UserNotFoundException": "The pool has nobody of this name any more.",
}


@dataclass(frozen=True)
class Invitation:
    """Somebody who was invited and has not signed in yet."""

    username: str
    email: str
    expires_at: datetime

    @property
    def is_over(self) -> bool:
        return self.expires_at <= timezone.now()


def may_invite(request: HttpRequest) -> bool:
    """Whether this member of staff may add people."""
    opts = get_user_model()._meta
    return bool(request.user.has_perm(f"{opts.app_label}.{get_permission_codename('add', opts)}"))


def waiting() -> list[Invitation]:
    """The newest first. Raises aws.AwsProblem."""
    lasts = user_pool.invitation_lasts()
    invited = user_pool.everyone(only=f'cognito:user_status = "{user_pool.INVITED}"')
    found = [Invitation(each.username, each.email, each.changed_at + lasts) for each in invited]
    return sorted(found, key=lambda each: each.expires_at, reverse=True)


class InvitationForm(forms.Form):
    email = forms.EmailField(label="E-mail address", max_length=254)
    username = forms.RegexField(
        r"^\S+$",
        max_length=128,
        label="Username at the pool",
        help_text="Where people sign in with their e-mail address, that address.",
        error_messages={"invalid": "A username has no spaces."},
    )


class InvitationsView(FormView):  # type: ignore[type-arg]
    """The form, and under it everybody who was invited and has not come yet."""

    form_class = InvitationForm
    template_name = template("admin/invitations.html")
    model_admin: Any = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not may_invite(request):
            raise PermissionDenied("may not add people")
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if user_pool.why_unavailable():
            return self.get(request)
        if username := request.POST.get("again", ""):
            return self._invite_again(username)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: forms.Form) -> HttpResponse:
        email, username = form.cleaned_data["email"], form.cleaned_data["username"]
        try:
            invited = user_pool.invite(username=username, email=email)
        except aws.AwsProblem as problem:
            form.add_error(None, _REMEDIES.get(problem.code, str(problem)))
            return self.form_invalid(form)
        self._record(EventKind.INVITED, invited)
        messages.success(self.request, f"Invited {username}: a mail to {email} is on its way.")
        return HttpResponseRedirect(self.request.path)

    def _invite_again(self, username: str) -> HttpResponse:
        try:
            invited = user_pool.invite_again(username)
        except aws.AwsProblem as problem:
            messages.error(self.request, _REMEDIES.get(problem.code, str(problem)))
        else:
            self._record(EventKind.INVITED_AGAIN, invited)
            messages.success(self.request, f"Invited {username} again: the earlier mail is void.")
        return HttpResponseRedirect(self.request.path)

    def _record(self, kind: EventKind, invited: user_pool.PoolPerson) -> None:
        events.record(
            kind,
            user=self.request.user,
            reason="admin",
            request=self.request,
            invited=invited.username,
            subject=invited.subject,  # names at the pool are given again
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = self.model_admin.admin_site.each_context(self.request)
        unavailable, invitations = user_pool.why_unavailable(), []
        if not unavailable:
            try:
                invitations = waiting()
            except aws.AwsProblem as problem:
                unavailable = str(problem)
        return super().get_context_data(
            **context,
            **kwargs,
            title="Invitations",
            opts=self.model_admin.opts,
            unavailable=unavailable,
            invitations=invitations,
        )
