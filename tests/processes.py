"""Run Python programs of the project as processes that start quickly.

`run_python(["manage.py", "check"], environ)` does what `subprocess.run` does with a new Python. The
process is a fork of a server that has imported the libraries, but no module of the project and no
settings, so that only the project's own modules are imported each time.
"""

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import runpy
import select
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from tests.imports import ROOT

# Modules that read neither the environment nor Django's settings when they are imported.
LIBRARIES = (
    "boto3",
    "cryptography.fernet",
    "cryptography.hazmat.primitives.asymmetric.rsa",
    "cryptography.hazmat.primitives.serialization",
    "django.contrib.staticfiles",
    "django.core.asgi",
    "django.core.cache.backends.locmem",
    "django.core.checks",
    "django.core.handlers.asgi",
    "django.core.management",
    "django.core.wsgi",
    "django.db.backends.sqlite3.base",
    "django.db.models",
    "django.forms",
    "django.template.defaulttags",
    "django.template.loader_tags",
    "django.utils.translation.trans_real",
    "environ",
    "jsonschema",
    "jwt",
    "openpyxl",
    "psycopg_pool",
    "redis",
    "requests",
    "tablib",
    "yaml",
)


class Server:
    """The process that forks. It handles one order at a time, and ends with this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.processes"],
            cwd=ROOT,
            env={name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
        atexit.register(self.close)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(60)

    def run(self, order: Mapping[str, object], timeout: float) -> int:
        with self._lock:
            self._process.stdin.write(f"{json.dumps(order)}\n")
            self._process.stdin.flush()
            if not select.select([self._process.stdout], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(order["arguments"]), timeout)
            return int(self._process.stdout.readline())


@cache
def _server() -> Server:
    return Server()


def run_python(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    *,
    cwd: Path = ROOT,
    stdin: str = "",
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments (-c, or a script) in a folder, and return its output."""
    with tempfile.TemporaryDirectory(prefix="process-") as name:
        folder = Path(name)
        (folder / "stdin").write_text(stdin, encoding="utf-8")
        order = {"arguments": [*arguments], "environ": {**environ}, "cwd": str(cwd), "folder": name}
        status = _server().run(order, timeout)
        output, errors = (
            (folder / stream).read_text(encoding="utf-8") for stream in ("stdout", "stderr")
        )
    return subprocess.CompletedProcess([*arguments], status, output, errors)


def serve() -> None:
    """Fork for each order on standard input, and print the status of the process."""
    for library in LIBRARIES:
        importlib.import_module(library)
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        if (pid := os.fork()) == 0:
            _become(json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _become(order: Mapping[str, object]) -> None:
    """Run the program of an order, and end this process as Python does."""
    folder, arguments = Path(order["folder"]), list(order["arguments"])
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
        file = os.open(folder / name, flags, 0o600)
        os.dup2(file, number)
        os.close(file)
    sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False), encoding="utf-8")
    os.chdir(order["cwd"])
    sys.path[0] = order["cwd"]
    os.environ.clear()
    os.environ.update(order["environ"])
    status = 0
    try:
        _run(arguments)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    finally:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)


def _run(arguments: list[str]) -> None:
    if arguments[0] == "-c":
        sys.argv = ["-c", *arguments[2:]]
        exec(compile(arguments[1], "<string>", "exec"), {"__name__": "__main__"})
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    serve()
