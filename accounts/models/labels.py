"""The names of our models and their fields in the admin, in the language of the page."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from ..core.labels import set_labels
from .events import SignInEvent
from .revocations import PendingRevocation
from .sign_ins import SignIn
from .users import Identity

_NAMES = {
    Identity: (_("identity"), _("identities")),
    SignIn: (_("sign-in"), _("sign-ins")),
    SignInEvent: (_("sign-in event"), _("sign-in events")),
    PendingRevocation: (_("pending revocation"), _("pending revocations")),
}
_FIELDS = {
    "access_expires_at": _("access expires at"),
    "at": _("at"),
    "auth_time": _("auth time"),
    "client_id": _("client ID"),
    "created_at": _("created at"),
    "details": _("details"),
    "device": _("device"),
    "email": _("email"),
    "email_verified": _("email verified"),
    "end_reason": _("end reason"),
    "ended_at": _("ended at"),
    "groups": _("groups"),
    "groups_as_of": _("groups as of"),
    "ip_address": _("IP address"),
    "issuer": _("issuer"),
    "kind": _("kind"),
    "last_seen_at": _("last seen at"),
    "name": _("name"),
    "next_try_at": _("next try at"),
    "reason": _("reason"),
    "reference": _("reference"),
    "renew_at": _("renew at"),
    "signed_in_at": _("signed in at"),
    "staff_from_pool": _("staff from pool"),
    "subject": _("subject"),
    "superuser_from_pool": _("superuser from pool"),
    "tries": _("tries"),
    "updated_at": _("updated at"),
    "user": _("user"),
}


set_labels(_NAMES, _FIELDS)
