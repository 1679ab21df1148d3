"""The form in which a person writes a figure. Its rules are the model's."""

from typing import Any

from django import forms

from .models import Stat


class FigureForm(forms.ModelForm):  # type: ignore[type-arg] # no [] at run time
    """`seen_version`: which version the person changes; another one meanwhile is told, not lost."""

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
        """Return the valid values by field, as the model's fields cleaned them."""
        return {name: getattr(self.instance, name) for name in self._meta.fields or ()}
