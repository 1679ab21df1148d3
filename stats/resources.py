"""Import and export of figures as spreadsheets with django-import-export.

`cleaning` validates each row of a file. `writing` stores all of its figures, or none.
"""

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from import_export import resources
from import_export.results import Result

from accounts.core.csv_cells import escape_formula

from . import writing
from .cleaning import FIELDS, Figure, clean_values, duplicate_message
from .exact_numbers import whole_number
from .fields import kpi_key
from .formats import FigureDataset
from .models import Stat
from .writing import Author


class PlainDiff(resources.Diff):  # type: ignore[misc]
    """The changes of a row as text, without the inline styles of the library."""

    def as_html(self) -> list[str]:
        before = [""] * len(self.right) if self.new else [str(value) for value in self.left]
        pairs = zip(before, map(str, self.right), strict=True)
        return [
            new if old in ("", new) else f"{old} \N{RIGHTWARDS ARROW} {new}" for old, new in pairs
        ]


class StatResource(resources.ModelResource):  # type: ignore[misc]
    """The columns kpi, year, month and value. The first three identify a figure."""

    class Meta:
        model = Stat
        fields = import_order = export_order = FIELDS
        import_id_fields = ("kpi", "year", "month")
        report_skipped = True
        skip_admin_log = True  # `writing` writes the history
        use_transactions = False  # nothing is written before all rows are valid
        chunk_size = 2000  # rows per batch of an export

    @classmethod
    def get_diff_class(cls) -> type[PlainDiff]:
        return PlainDiff

    def before_import(self, dataset: FigureDataset, **kwargs: Any) -> None:
        """Load the stored figures of the KPIs in the file."""
        self._source = dataset.source
        self._figures: list[Figure] = []
        self._seen: dict[tuple[str, int, int], int] = {}
        keys = {kpi_key(row.get("kpi", "").strip()) for _, row in dataset.source}
        stored = Stat.objects.filter(kpi_key__in=keys).order_by()
        values = stored.values_list("kpi_key", "year", "month", "pk", "kpi", "value")
        self._stored = {columns[:3]: columns[3:] for columns in values.iterator(chunk_size=2000)}

    def get_instance(self, instance_loader: Any, row: dict[str, str]) -> Stat | None:
        try:
            key = kpi_key(row["kpi"].strip()), whole_number(row["year"]), whole_number(row["month"])
        except ValidationError:
            return None  # import_instance reports it
        if key not in self._stored:
            return None
        pk, kpi, value = self._stored[key]
        return Stat(pk=pk, kpi=kpi, year=key[1], month=key[2], value=value)

    def import_instance(self, instance: Stat, row: dict[str, str], **kwargs: Any) -> None:
        number, raw = self._source[kwargs["row_number"] - 1]
        figure = Figure(**clean_values(raw))
        first = self._seen.setdefault(figure.key, number)
        if first != number:
            raise ValidationError({"month": [duplicate_message(first)]})
        for name in FIELDS:
            setattr(instance, name, getattr(figure, name))

    def skip_row(
        self, instance: Stat, original: Stat, row: Any, import_validation_errors: Any = None
    ) -> bool:
        is_unchanged = (instance.kpi, instance.value) == (original.kpi, original.value)
        return bool(original.pk and is_unchanged and not import_validation_errors)

    def validate_instance(
        self, instance: Stat, import_validation_errors: Any = None, validate_unique: bool = True
    ) -> None:
        if import_validation_errors:
            raise ValidationError(import_validation_errors)

    def save_instance(self, instance: Stat, is_create: bool, row: Any, **kwargs: Any) -> None:
        self._figures.append(Figure(instance.kpi, instance.year, instance.month, instance.value))

    def after_import(self, dataset: FigureDataset, result: Result, **kwargs: Any) -> None:
        for invalid in result.invalid_rows:
            invalid.number, _ = self._source[invalid.number - 1]
        has_errors = result.has_errors() or result.has_validation_errors()
        if not has_errors and not kwargs.get("dry_run"):
            writing.upsert_all(self._figures, Author(kwargs.get("user"), "import"))

    def dehydrate_kpi(self, stat: Stat) -> str:
        return escape_formula(stat.kpi)

    def dehydrate_value(self, stat: Stat) -> Decimal:
        return Decimal(stat.value)
