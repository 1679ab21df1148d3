"""The names of models and fields in the admin, in the language of the page.

They are set here and not in the models, because a name in a model is part of its migrations.
"""

from __future__ import annotations

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from .events import SignInEvent
from .revocations import PendingRevocation
from .sign_ins import SignIn
from .users import Identity

_PLURALS = {
    SignIn: _("sign-ins"),
    SignInEvent: _("sign-in events"),
    PendingRevocation: _("pending revocations"),
}
_NAMES = {
    Identity: _("identity"),
    PendingRevocation: _("pending revocation"),
}
_FIELDS = {
    "access_expires_at": _("access expires at"),
    "at": _("at"),
    "auth_time": _("auth time"),
    "client_id": _("client id"),
    "created_at": _("created at"),
    "details": _("details"),
    "device": _("device"),
    "email": _("email"),
    "email_verified": _("email verified"),
    "end_reason": _("end reason"),
    "ended_at": _("ended at"),
    "groups": _("groups"),
    "groups_as_of": _("groups as of"),
    "ip_address": _("ip address"),
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


def translate_labels(*models: type[Model]) -> None:
    """Replace the names that Django made from the names in Python."""
    for model in models:
        opts = model._meta
        opts.verbose_name = _NAMES.get(model, opts.verbose_name)
        opts.verbose_name_plural = _PLURALS.get(model, opts.verbose_name_plural)
        for field in opts.local_fields:
            if field._verbose_name is None:  # type: ignore[attr-defined]
                field.verbose_name = _FIELDS.get(field.name, field.verbose_name)


translate_labels(Identity, SignIn, SignInEvent, PendingRevocation)
