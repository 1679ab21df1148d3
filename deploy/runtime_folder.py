"""The folder in which the processes of one server count, and what a killed server left behind.

It lies in memory where that is possible, and never where a request could fill the space: the files
are mapped into memory, and a process that cannot write to them is killed (SIGBUS).
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
    """Return a new folder in `base`. A lock on it shows that this server is alive.

    The lock stays until this process and its forks have ended, however they end.
    """
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
        if _lock(folder) is not None and folder.exists():
            return folder


def sweep(base: Path) -> None:
    """Delete the folders in `base` that servers of this user left when they were killed."""
    for folder in base.glob(f"{PREFIX}*"):
        lock = _lock(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def sweep_uploads(base: Path) -> None:
    """Delete uploads of this user that Django began to write into `base` over an hour ago."""
    for file in base.glob("tmp*.upload*"):
        try:
            status = file.lstat()
            is_old = time.time() - status.st_mtime > MAX_UPLOAD_AGE_SECONDS
            if status.st_uid == os.geteuid() and is_old:
                file.unlink()
        except OSError:  # another server sweeps, too
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
