"""CSV and XLSX formats of django-import-export, with the same reader as `import_stats`."""

from io import BytesIO
from typing import Any

from import_export.formats import base_formats
from tablib import Dataset

from accounts.core.csv_cells import BYTE_ORDER_MARK

from .cleaning import FIELDS
from .files import read_rows

MAX_ROWS = 100_000  # in a file that the admin imports


class FigureDataset(Dataset):  # type: ignore[misc] # untyped
    """The rows for the library. `source` holds the number and the texts of each row of the file."""

    def __init__(self, source: list[tuple[int, dict[str, str]]]) -> None:
        records = (tuple(texts.get(name, "") for name in FIELDS) for _, texts in source)
        super().__init__(*records, headers=FIELDS)
        self.source = source


class FigureFormat:
    """A format whose files `read_rows` reads, which detects the format from the content."""

    def is_binary(self) -> bool:
        return True

    def get_read_mode(self) -> str:
        return "rb"

    def create_dataset(self, in_stream: bytes, **kwargs: Any) -> FigureDataset:
        """Return the rows of the file.

        Raises:
            UnreadableFile: see `read_rows`.
        """
        return FigureDataset(list(read_rows(BytesIO(in_stream), MAX_ROWS)))


class CSV(FigureFormat, base_formats.CSV):  # type: ignore[misc] # untyped
    """CSV with commas and a byte order mark."""

    def export_data(self, dataset: Dataset, **kwargs: Any) -> bytes:
        text: str = super().export_data(dataset, **kwargs)
        return (BYTE_ORDER_MARK + text).encode()


class XLSX(FigureFormat, base_formats.XLSX):  # type: ignore[misc] # untyped
    """A workbook with one sheet."""
