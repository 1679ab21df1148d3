"""``python -m local_pool``: serve the pool, or talk to the one that runs.

serve (what it does without a word), do COMMAND …, token NAME, counts, env, reset
"""

import argparse
import contextlib
import json
import os
import shlex
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path
from threading import Event
from typing import Any

from .config import load_config
from .declarations import LOOPBACK
from .errors import ConfigError


def main() -> int:
    parser = argparse.ArgumentParser("python -m local_pool", description="A local user pool.")
    verbs = parser.add_subparsers(dest="verb")
    serving = verbs.add_parser("serve", help="serve the pool (the default)")
    serving.add_argument("--host", default="127.0.0.1", help="loopback unless --allow-remote")
    serving.add_argument("--allow-remote", action="store_true", help="bind to another address")
    telling = verbs.add_parser("do", help="tell the running pool: disable ada, cognito-down …")
    telling.add_argument("words", nargs=argparse.REMAINDER)
    asking = verbs.add_parser("token", help="print an access token of a person, or of: machine")
    asking.add_argument("name")
    asking.add_argument("--scope", default="", help="separated by spaces; all if left out")
    asking.add_argument("--client", default="", help="a client id; the web client if left out")
    asking.add_argument("--id", action="store_true", help="the ID token instead")
    verbs.add_parser("counts", help="how often which endpoint was asked")
    verbs.add_parser("env", help="the COGNITO_* lines for an application's .env")
    verbs.add_parser("reset", help="forget everything; people as pool.toml declares them")
    try:
        _perform(parser.parse_args(sys.argv[1:] or ["serve"]))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _perform(options: argparse.Namespace) -> None:
    if options.verb == "do":
        print(_ask("POST", "faults", {"do": shlex.join(options.words)})["said"])
    elif options.verb == "token":
        wanted = {"as": options.name, "scope": options.scope, "client": options.client}
        print(_ask("POST", "token", wanted)["id_token" if options.id else "access_token"])
    elif options.verb == "counts":
        for name, number in sorted(_ask("GET", "counts").items()):
            print(f"{number:6} {name}")
    elif options.verb == "env":
        for name, value in load_config(os.environ).app_environment().items():
            print(f"{name}={value}")
    elif options.verb == "reset":
        _reset()
    else:
        _serve(options.host, options.allow_remote)


def _serve(host: str, allow_remote: bool) -> None:
    from . import people
    from .journal import Journal
    from .pool import Pool
    from .server import Server, listen
    from .store import Store

    if host not in LOOPBACK and not allow_remote:
        raise ConfigError(
            f"{host} is not this machine alone: the pool is for development. If you"
            " mean it, add --allow-remote."
        )
    config = load_config(os.environ)
    try:
        listener = listen(host, config.port)
    except OSError as error:
        said = "is taken: stop what uses it, or set POOL_PORT to a free one"
        if isinstance(error, PermissionError):
            said = "is not for everyone: set POOL_PORT to one above 1023"
        raise ConfigError(f"Port {config.port} {said}.") from error
    pool = Pool(config, Store(_folder()), journal=Journal(_print))
    people.seed(pool)
    over = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    server = Server(pool, listener, hosts=(*LOOPBACK, host))
    over.wait()
    server.stop()


def _print(line: str) -> None:
    with contextlib.suppress(OSError):  # whoever read it is gone; people still sign in
        print(line, flush=True)


def _folder() -> Path:
    return Path(os.environ.get("LOCAL_POOL_DIR") or ".local/pool")


def _reset() -> None:
    try:
        print(_ask("POST", "faults", {"do": "reset"})["said"])
    except ConfigError:  # it is not running
        for name in ("state.json", "keys.json"):
            (_folder() / name).unlink(missing_ok=True)
        print("the pool will start as pool.toml declares it")


def _ask(method: str, what: str, body: dict[str, str] | None = None) -> Any:
    """The running pool's JSON answer. Raises ConfigError with a sentence for the person."""
    port = load_config(os.environ).port
    data = json.dumps(body).encode() if body is not None else None
    headers = {"Content-Type": "application/json"}
    address = f"http://127.0.0.1:{port}/_local/{what}"
    request = urllib.request.Request(address, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 (loopback)
            return json.load(response)
    except urllib.error.HTTPError as error:
        with contextlib.suppress(ValueError):
            raise ConfigError(json.load(error)["error"]) from error
        raise ConfigError(f"The pool answered {error.code}.") from error
    except (OSError, ValueError) as error:
        start = "start it with `make run` or python -m local_pool"
        raise ConfigError(f"No pool answers on port {port}: {start}.") from error


if __name__ == "__main__":
    sys.exit(main())
