"""``python -m local_pool``: serve the pool, or talk to the one that runs."""

import os
import signal
import sys
from pathlib import Path
from threading import Event

from . import people
from .config import load_config
from .errors import ConfigError
from .journal import Journal
from .pool import Pool
from .server import Server, listen
from .store import Store


def serve() -> int:
    config = load_config(os.environ)
    try:
        listener = listen("127.0.0.1", config.port)
    except OSError:
        print(
            f"Port {config.port} is taken: stop what uses it, or set POOL_PORT to a free one.",
            file=sys.stderr,
        )
        return 1
    store = Store(Path(os.environ.get("LOCAL_POOL_DIR") or ".local/pool"))
    pool = Pool(config, store, journal=Journal(lambda line: print(line, flush=True)))
    people.seed(pool)
    over = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    server = Server(pool, listener)
    over.wait()
    server.stop()
    return 0


def main() -> int:
    try:
        return serve()
    except ConfigError as error:
        print(error.message, file=sys.stderr)
        return 1


sys.exit(main())
