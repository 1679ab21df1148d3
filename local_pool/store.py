"""One folder for keys and state, readable by its owner alone; files are replaced, never rewritten.

A process killed at any moment leaves the old file or the new one, never half of one. (No fsync: it
would guard against a power cut, which a development pool need not survive.)
"""

import os
import tempfile
from pathlib import Path


class Store:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)

    def read(self, name: str) -> str | None:
        """The file's text, or None when there is none."""
        path = self.folder / name
        return path.read_text(encoding="utf-8") if path.exists() else None

    def write(self, name: str, text: str) -> None:
        """Replace the file atomically (mkstemp creates it with mode 0600)."""
        handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=f".{name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(temporary, self.folder / name)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
