"""The form for one figure, with the rules of the model, on the site and in the admin."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from .filters import PeriodField
from .models import Stat
from .months import parse_month


class FigureForm(forms.ModelForm):  # type: ignore[type-arg] # no [] at run time
    """A figure, and the version that the user saw, to detect changes by other users.

    Its field `month` is the year and the month.
    """

    month = PeriodField(label=_("Month"))
    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    field_order = ("kpi", "month", "value")

    class Meta:
        model = Stat
        fields = ("kpi", "month", "value")
        labels = {"value": _("Value")}
        widgets = {
            "kpi": forms.TextInput(attrs={"autocomplete": "off", "maxlength": 64}),
            "value": forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["seen_version"] = self.instance.version
            self.initial["month"] = f"{self.instance.year}{self.instance.month:02d}"

    def clean_month(self) -> int:
        """Return the month, and set the year, which has no field of its own."""
        self.instance.year, month = parse_month(self.cleaned_data["month"]) or (0, 0)
        return month

    def _get_validation_exclusions(self) -> set[str]:
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded - {"year"} if "month" in self.cleaned_data else excluded

    def values(self) -> dict[str, Any]:
        """Return the clean values by field of the model."""
        return {name: getattr(self.instance, name) for name in ("kpi", "year", "month", "value")}
