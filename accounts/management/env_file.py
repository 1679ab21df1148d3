"""Changes of variables in a `.env` file. Other lines stay, and only its owner can read it."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)")


def read(file: Path) -> dict[str, str]:
    """Return the variables of the file, or {} if there is no file. Raises OSError, UnicodeError."""
    matches = map(_LINE.fullmatch, _text(file).splitlines())
    return {match[1]: match[2].strip().strip("'\"") for match in matches if match}


def keep_private(file: Path) -> None:
    """Allow only the owner to read the file, as `write` does. Raises OSError."""
    file.chmod(0o600)


def merge(text: str, values: Mapping[str, str]) -> str:
    """Return the file's text with these values: at their old place, or at the end."""
    missing = dict(values)
    lines = []
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        name = match[1] if match else ""
        if name not in values:
            lines.append(line)
        elif name in missing:  # further lines with the same name are dropped
            lines.append(f"{name}={missing.pop(name)}")
    lines.extend(f"{name}={value}" for name, value in missing.items())
    return "\n".join(lines) + "\n"


def write(file: Path, values: Mapping[str, str]) -> None:
    """Set these variables: all or none, with mode 0600. Raises OSError, UnicodeError."""
    file = file.resolve()  # a symbolic link stays
    text = _text(file)
    handle, name = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(merge(text, values))
        os.replace(name, file)
    except BaseException:
        os.unlink(name)
        raise


def _text(file: Path) -> str:
    if not file.exists():
        return ""
    if not file.is_file() and not file.is_dir():  # replacing /dev/stdout would break other programs
        raise OSError(errno.EINVAL, "it is a device or a pipe, not a file")
    return file.read_text(encoding="utf-8")
