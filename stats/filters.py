"""The filter of the dashboard, the API and the CSV download.

They share one form, so that a filtered page and its download hold the same figures. It is not a
FilterSet of django-filter, whose OrderingFilter accepts an order with ties: pages would repeat and
miss figures. Each field here would need a class of its own there too.
"""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from .fields import kpi_key
from .models import FIRST_YEAR, LAST_YEAR
from .months import PERIOD, parse_month
from .queries import StatQuerySet

# Columns by their names in a query string.
ORDERINGS = {
    "kpi": "kpi_key",
    "period": "period",
    "year": "year",
    "month": "month",
    "value": "value",
    "createdDate": "created_at",
    "updatedDate": "updated_at",
    "id": "id",
}
BY_PERIOD = ("period", "kpi_key")


class MonthInput(forms.TextInput):
    """The month field of all pages. A browser without one shows a text field."""

    input_type = "month"

    def __init__(self) -> None:
        super().__init__(
            {
                "min": f"{FIRST_YEAR}-01",
                "max": f"{LAST_YEAR}-12",
                "pattern": "[0-9]{4}-[0-9]{2}",
                "placeholder": "2019-01",
                "autocomplete": "off",
            }
        )

    def format_value(self, value: Any) -> Any:
        """Return the value as `2019-01`, which the browser requires, or as it was entered."""
        month = parse_month(str(value or ""))
        return "{}-{:02d}".format(*month) if month else value


class PeriodField(forms.CharField):
    """A month as 2019-01 or 201901. The clean value is `201901`."""

    widget = MonthInput
    json_schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": f"^{PERIOD.pattern}$",
        "examples": ["201901"],
    }

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value))
        if not text:
            return ""
        month = parse_month(text)
        if month is None:
            raise ValidationError(_("Enter a month like 2019-01."))
        return "{}{:02d}".format(*month)


class SearchField(forms.CharField):
    """A part of a KPI's name."""

    json_schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": r"^\s*[^\u0000]{0,64}\s*$",  # Django's validator of every text field
        "examples": ["rev"],
    }


class KpisField(forms.Field):
    """Names of KPIs, as in `kpi=revenue&kpi=cost`. The clean value is a list of their keys."""

    widget = forms.SelectMultiple
    json_schema: ClassVar[dict[str, Any]] = {
        "type": "array",
        "items": {"type": "string", "pattern": "^[^\\x00-\\x1f\\x7f]*$"},
        "examples": [["revenue"]],
    }

    def to_python(self, value: Any) -> list[str]:
        if not all(str(name).isprintable() for name in value or ()):
            raise ValidationError(_("The name must not contain control characters."))
        return [key for name in value or () if (key := kpi_key(str(name)[:255]))]


class OrderingField(forms.Field):
    """Comma-separated names of ORDERINGS, with `-` for descending.

    The clean value is a list of columns that determines the order of all figures: it ends with the
    unique columns. A repeated column is ignored.
    """

    _NAME = f" *-?(?:{'|'.join(ORDERINGS)}) *"
    json_schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": f"^{_NAME}(?:,{_NAME})*$",
        "examples": ["-period,kpi"],
    }

    def to_python(self, value: Any) -> list[str]:
        columns: dict[str, str] = {}  # column -> "-" or ""
        for name in filter(None, str(value or "").split(",")):
            descending = "-" if name.strip().startswith("-") else ""
            column = ORDERINGS.get(name.strip().removeprefix("-"))
            if column is None:
                names = ", ".join(ORDERINGS)
                message = _("Order by one of %(names)s, with - before it for descending.")
                raise ValidationError(message % {"names": names})
            columns.setdefault(column, descending)
        if "id" not in columns:
            for column in BY_PERIOD:
                columns.setdefault(column, "")
        return [f"{descending}{column}" for column, descending in columns.items()]


class FigureFilter(forms.Form):
    """The parameters `kpi`, `year`, `from`, `to`, `search` and `ordering`, all optional."""

    kpi = KpisField(
        required=False,
        label=_("KPI"),
        help_text=_("Figures of this KPI. Repeat it for several KPIs."),
    )
    year = forms.IntegerField(
        required=False,
        min_value=FIRST_YEAR,
        max_value=LAST_YEAR,
        label=_("Year"),
        help_text=_("Figures of this year."),
    )
    search = SearchField(
        required=False,
        widget=forms.TextInput({"type": "search"}),
        max_length=64,
        label=_("Search"),
        help_text=_("Figures of KPIs whose name contains this text."),
    )
    ordering = OrderingField(
        required=False,
        help_text=f"Any of {', '.join(ORDERINGS)}, comma-separated, with - for descending.",
    )

    # "from" is a keyword of Python, so it cannot be declared as a class attribute.
    PERIODS: ClassVar[dict[str, str]] = {"from": "period__gte", "to": "period__lte"}
    LABELS: ClassVar[dict[str, Any]] = {"from": _("From"), "to": _("To")}
    PERIOD_TEXTS: ClassVar[dict[str, Any]] = {
        "from": _("Figures from this month on."),
        "to": _("Figures up to this month."),
    }

    def __init__(self, data: MultiValueDict[str, Any]) -> None:
        super().__init__(data)
        for name in self.PERIODS:
            self.fields[name] = PeriodField(
                required=False, label=self.LABELS[name], help_text=self.PERIOD_TEXTS[name]
            )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("from") and values.get("to") and values["from"] > values["to"]:
            self.add_error("to", _("The end of the range is before its start."))
        return values

    def apply(self, figures: StatQuerySet, *, with_kpi: bool = True) -> StatQuerySet:
        """Return the figures that match, without an order. Invalid fields are ignored."""
        values = self.cleaned_data
        if with_kpi and values.get("kpi"):
            figures = figures.filter(kpi_key__in=values["kpi"])
        if values.get("year"):
            figures = figures.filter(year=values["year"])
        if values.get("search"):
            figures = figures.filter(kpi_key__contains=kpi_key(values["search"]))
        for name, lookup in self.PERIODS.items():
            if values.get(name):
                figures = figures.filter(**{lookup: values[name]})
        return figures
