"""The names of our models and their fields in the admin, in the language of the page."""

from django.utils.translation import gettext_lazy as _

from accounts.core.labels import set_labels

from .history import Change
from .models import Stat

set_labels(
    {
        Stat: (_("figure"), _("figures")),
        Change: (_("change"), _("changes")),
    },
    {
        "action": _("action"),
        "after": _("after"),
        "at": _("at"),
        "before": _("before"),
        "by": _("by"),
        "created_by": _("created by"),
        "month": _("month"),
        "through": _("through"),
        "updated_by": _("updated by"),
        "value": _("value"),
        "year": _("year"),
    },
)
