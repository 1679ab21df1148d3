"""The forms of the admin pages of figures: upload, confirm, download, and one line of the list."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from import_export.forms import ConfirmImportForm, ExportForm, ImportForm

MAX_FILE_BYTES = 10 * 1024 * 1024


class FileForm(ImportForm):  # type: ignore[misc]
    """The upload form. It has no field for the format, which the content determines."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["format"].widget = forms.HiddenInput()
        self.initial["format"] = "0"
        # The class is for a script of the library that guesses the format.
        self.fields["import_file"].widget.attrs.pop("class", None)

    def clean_import_file(self) -> Any:
        upload = self.cleaned_data["import_file"]
        if upload.size > MAX_FILE_BYTES:
            size = MAX_FILE_BYTES // 1024 // 1024
            raise ValidationError(
                _("The file is larger than %(size)d MB. Split it, or use the command import_stats.")
                % {"size": size}
            )
        return upload


class ConfirmForm(ConfirmImportForm):  # type: ignore[misc]
    """The confirmation form. It rejects an unknown format, which would be a 500 otherwise."""

    format = forms.ChoiceField(choices=[("0", "CSV"), ("1", "XLSX")], widget=forms.HiddenInput)


class DownloadForm(ExportForm):  # type: ignore[misc]
    """The export form, with CSV as the default."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["format"] = "0"


class ValueInListForm(forms.ModelForm):  # type: ignore[type-arg] # no [] at run time
    """The form of one figure in the list.

    A hidden field holds the initial value, so that saving the page does not overwrite figures that
    only another user has changed.
    """

    class Meta:
        widgets: ClassVar[dict[str, Any]] = {"value": forms.TextInput({"inputmode": "decimal"})}
        help_texts: ClassVar[dict[str, str]] = {"value": ""}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        value = self.fields["value"]
        if self.instance.pk:  # an empty list has one form without a figure, which is not shown
            value.widget.attrs["aria-label"] = _("Value of %(figure)s") % {"figure": self.instance}
        value.show_hidden_initial = True


class ValuesFormSet(forms.BaseModelFormSet):  # type: ignore[type-arg] # no [] at run time
    """The forms of the list, whose labels are the column's heading."""

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return {**super().get_form_kwargs(index), "label_suffix": ""}

    def add_fields(self, form: Any, index: int | None) -> None:
        """Add the ID. Only a submitted one is checked, with a field that has a queryset."""
        if self.is_bound:
            super().add_fields(form, index)
            return
        pk = forms.Field(initial=form.instance.pk, required=False, widget=forms.HiddenInput)
        form.fields[form.instance._meta.pk.name] = pk
