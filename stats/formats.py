"""CSV and XLSX for django-import-export, read by the reader that `import_stats` has."""

from io import BytesIO
from typing import Any

from import_export.formats import base_formats
from tablib import Dataset

from accounts.core.csv_cells import BYTE_ORDER_MARK

from .cleaning import FIELDS
from .files import read_rows

MAX_ROWS = 100_000  # of a file that the admin imports


class FigureDataset(Dataset):  # type: ignore[misc] # untyped
    """The rows as the library shows them; `source` has each row's number and texts as read."""

    def __init__(self, source: list[tuple[int, dict[str, str]]]) -> None:
        rows = (tuple(row.get(name, "") for name in FIELDS) for _, row in source)
        super().__init__(*rows, headers=FIELDS)
        self.source = source


class FigureFormat:
    """A format whose files are read by `read_rows`, which looks at their content."""

    def is_binary(self) -> bool:
        return True

    def get_read_mode(self) -> str:
        return "rb"

    def create_dataset(self, in_stream: bytes, **kwargs: Any) -> FigureDataset:
        """Raises UnreadableFile."""
        return FigureDataset(list(read_rows(BytesIO(in_stream), MAX_ROWS)))


class CSV(FigureFormat, base_formats.CSV):  # type: ignore[misc] # untyped
    """Separated by commas, with a byte order mark."""

    def export_data(self, dataset: Dataset, **kwargs: Any) -> bytes:
        text: str = super().export_data(dataset, **kwargs)
        return (BYTE_ORDER_MARK + text).encode()


class XLSX(FigureFormat, base_formats.XLSX):  # type: ignore[misc] # untyped
    """A workbook with one sheet."""
