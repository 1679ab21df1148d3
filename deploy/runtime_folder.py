"""The metrics folder of a server, and the cleanup after servers that were killed.

The folder is in shared memory if possible, where no request can fill the space. Its files are
memory-mapped, and a process that cannot write to them is killed (SIGBUS).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

PREFIX = "sso-metrics-"
MAX_UPLOAD_AGE_SECONDS = 3600.0


def shared_memory() -> Path:
    """Return /dev/shm, or the temporary folder on systems without it."""
    memory = Path("/dev/shm")  # noqa: S108 (mkdtemp creates the folder in it)
    return memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())


def create(base: Path) -> Path:
    """Create and return a folder in `base`, with a lock that shows that this server is running.

    The operating system releases the lock when this process and all its forks have ended.
    """
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
        if _lock(folder) is not None and folder.exists():
            return folder


def sweep(base: Path) -> None:
    """Delete the folders in `base` of killed servers that ran as the same user."""
    for folder in base.glob(f"{PREFIX}*"):
        lock = _lock(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def sweep_uploads(base: Path) -> None:
    """Delete Django's temporary upload files in `base` that are over an hour old."""
    for file in base.glob("tmp*.upload*"):
        try:
            status = file.lstat()
            is_old = time.time() - status.st_mtime > MAX_UPLOAD_AGE_SECONDS
            if status.st_uid == os.geteuid() and is_old:
                file.unlink()
        except OSError:  # another server has deleted it
            continue


def _lock(folder: Path) -> int | None:
    """Return a locked file descriptor of `folder`, or None if a server holds the lock."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        if os.fstat(descriptor).st_uid == os.geteuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None
