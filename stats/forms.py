"""The form for one figure, with the rules of the model."""

from typing import Any

from django import forms

from .models import Stat


class FigureForm(forms.ModelForm):  # type: ignore[type-arg] # no [] at run time
    """A figure, and the version that the user saw, to detect changes by other users."""

    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Stat
        fields = ("kpi", "year", "month", "value")
        widgets = {
            "kpi": forms.TextInput(attrs={"autocomplete": "off", "maxlength": 64}),
            "value": forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["seen_version"] = self.instance.version

    def values(self) -> dict[str, Any]:
        """Return the clean values by field."""
        return {name: getattr(self.instance, name) for name in self._meta.fields or ()}
