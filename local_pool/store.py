"""The folder for keys and state. Only its owner can read it.

Files are replaced atomically, so that a killed process never leaves half a file. There is no fsync:
a development pool does not have to survive a power failure.
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
        """Return the file's text, or None if there is no file."""
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
