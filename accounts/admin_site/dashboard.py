"""The overview on the admin's index page: who cannot sign in, who has rights, who is signed in.

Each visit of the page loads it, so it consists of a few counts and three short lists.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

import django
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Count, Model, Q
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from ..core.request_meta import device_name
from ..models import EventKind, PendingRevocation, SignIn, SignInEvent
from ..models.users import can_be_deactivated
from ..provider import provider, user_pool
from ..sessions import limits
from ..users.copied_claims import concrete_field
from ..users.groups import has_groups
from .cells import event_user, reason_in_words, user_link
from .view_permission import can_view

_MAX_ENTRIES = 8
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)


class Tile(NamedTuple):
    """A number, what it counts, and the URL of the list that it counts, or ""."""

    value: int
    name: str
    url: str = ""


@dataclass
class Dashboard:
    """The data that the staff user can view.

    A list is None if the staff user cannot view its model. `refusals` have the user and the reason
    in words, `sessions` the user and the device, `staff` the user and their rights. `reasons` are
    those of refusals in the last 24 hours: code, words and count. `facts` have a name and a value.
    """

    refusals: list[tuple[SignInEvent, str, str]] | None = None
    reasons: list[tuple[str, str, int]] = field(default_factory=list)
    staff: list[tuple[str, str]] | None = None
    sessions: list[tuple[SignIn, str, str]] | None = None
    tiles: list[Tile] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def dashboard(request: HttpRequest) -> Dashboard | None:
    """Return the overview for the staff user, or None if they cannot view any part of it.

    Keys, versions and warnings do not belong to a model. They are for staff who can view events.
    """
    overview = Dashboard()
    if can_view(request, SignIn):
        _add_sessions(overview)
    if can_view(request, SignInEvent):
        _add_events(overview)
        overview.facts = [*_keys(), *_versions()]
        overview.warnings = _warnings()
    if can_view(request, get_user_model()) and has_groups(get_user_model()):
        _add_staff(overview)
    if can_view(request, PendingRevocation):
        pending = PendingRevocation.objects.count()
        overview.tiles.append(
            Tile(pending, _("refresh tokens to revoke"), list_url(PendingRevocation))
        )
    return overview if overview.tiles else None


def list_url(model: type[Model], **filters: object) -> str:
    """Return the URL of the admin's list of `model`, or "" if the admin does not have it."""
    opts = model._meta
    try:
        url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    except NoReverseMatch:
        return ""
    return f"{url}?{urlencode(filters)}" if filters else url


def _add_sessions(overview: Dashboard) -> None:
    live = SignIn.objects.live()
    counts = live.aggregate(sign_ins=Count("pk"), users=Count("user", distinct=True))
    newest = live.select_related("user").prefetch_related("user__identities")
    overview.sessions = [
        (sign_in, user_link(sign_in.user), device_name(sign_in.device))
        for sign_in in newest.order_by("-last_seen_at")[:_MAX_ENTRIES]
    ]
    url = list_url(SignIn, ended_at__isempty=1)
    overview.tiles += [
        Tile(counts["users"], _("users signed in"), url),
        Tile(counts["sign_ins"], _("sessions"), url),
    ]


def _add_events(overview: Dashboard) -> None:
    now = timezone.now()
    events = SignInEvent.objects.select_related("user").prefetch_related("user__identities")
    refusals = events.filter(kind=EventKind.REFUSED)
    overview.refusals = [
        (event, event_user(event), reason_in_words(event.reason))
        for event in refusals[:_MAX_ENTRIES]
    ]
    recent = SignInEvent.objects.filter(kind=EventKind.REFUSED, at__gte=now - _DAY).order_by()
    counts = recent.values_list("reason").annotate(count=Count("pk")).order_by("-count", "reason")
    overview.reasons = [
        (reason, reason_in_words(reason) or _("unknown"), count) for reason, count in counts
    ]
    changes = SignInEvent.objects.filter(kind=EventKind.RIGHTS_CHANGED, at__gte=now - _WEEK)
    refused_url = list_url(SignInEvent, kind__exact=EventKind.REFUSED.value)
    changes_url = list_url(SignInEvent, kind__exact=EventKind.RIGHTS_CHANGED.value)
    overview.tiles += [
        Tile(
            sum(count for _code, _words, count in overview.reasons),
            _("refused in 24 hours"),
            refused_url,
        ),
        Tile(changes.count(), _("changes of rights in 7 days"), changes_url),
    ]


def _add_staff(overview: Dashboard) -> None:
    model: Any = get_user_model()
    # A host project's user model may lack a field, or compute it.
    flags = [name for name in ("is_superuser", "is_staff") if concrete_field(model, name)]
    if not flags:
        return
    is_active = {"is_active": True} if can_be_deactivated() else {}
    has_status = Q(*((name, True) for name in flags), _connector=Q.OR)
    users = model._default_manager.filter(has_status, **is_active)
    related = ("identities", *(["groups"] if has_groups(model) else []))
    shown = users.order_by(f"-{flags[0]}", "pk").prefetch_related(*related)
    overview.staff = [(user_link(user), _rights(user)) for user in shown[:_MAX_ENTRIES]]
    count = users.count() if len(overview.staff) == _MAX_ENTRIES else len(overview.staff)
    overview.tiles.append(
        Tile(count, _("staff users"), list_url(model, **{f"{flags[-1]}__exact": 1}))
    )


def _rights(user: Any) -> str:
    status = _("superuser") if getattr(user, "is_superuser", False) else _("staff")
    groups = user.groups.all() if has_groups(type(user)) else ()
    return ", ".join([status, *sorted(group.name for group in groups)])


def _keys() -> list[tuple[str, str]]:
    age = provider().keys.age
    return [
        (
            _("Signing keys of the pool"),
            _("not downloaded yet")
            if age is None
            else _("downloaded %(seconds)d s ago") % {"seconds": age},
        ),
        (_("Token encryption keys"), str(provider().cipher.key_count)),
        (_("Keys in SECRET_KEY_FALLBACKS"), str(len(settings.SECRET_KEY_FALLBACKS) or _("none"))),
    ]


def _versions() -> list[tuple[str, str]]:
    version: Any = getattr(settings, "VERSION", "")
    site_version = [(_("Version"), str(version))] if version else []
    return [
        *site_version,
        (_("Runtime"), f"Django {django.get_version()}, Python {platform.python_version()}"),
        (_("User pool"), provider().config.pool_id),
        (
            _("AWS credentials"),
            _("missing") if user_pool.unavailable_reason() else _("available"),
        ),
    ]


def _warnings() -> list[str]:
    warnings = []
    if limits.break_glass_enabled():
        warnings.append(
            _(
                "Break-glass is on: staff can sign in with a password. Set BREAK_GLASS_LOGIN=0 "
                "when sign-in through Cognito works again."
            )
        )
    if settings.DEBUG:
        warnings.append(_("DEBUG is on. Use it for development only."))
    return warnings
