"""``python -m local_pool``: serve the pool, or control the running one.

Subcommands: serve (the default), do COMMAND …, token NAME, counts, env, operations,
reset
"""

import argparse
import contextlib
import json
import os
import shlex
import signal
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path
from threading import Event
from typing import Any

from .config import load_config
from .declarations import LOOPBACK
from .environment import FRAMEWORKS, lines
from .errors import ConfigError

_PORT_FILE = "port"  # of the running pool, in its folder


def main() -> int:
    parser = argparse.ArgumentParser(f"python -m {__package__}", description="A local user pool.")
    subcommands = parser.add_subparsers(dest="subcommand")
    serve = subcommands.add_parser("serve", help="serve the pool (the default)")
    serve.add_argument("--host", default="127.0.0.1", help="loopback unless --allow-remote")
    serve.add_argument("--allow-remote", action="store_true", help="allow a non-loopback --host")
    do = subcommands.add_parser("do", help="command the running pool: disable ada, cognito-down …")
    do.add_argument("words", nargs=argparse.REMAINDER, help="local_pool/README.md lists them")
    token = subcommands.add_parser("token", help='print an access token of a user, or of "machine"')
    token.add_argument("name")
    token.add_argument("--scope", default="", help="separated by spaces (default: all scopes)")
    token.add_argument("--client", default="", help="a client ID (default: the web client)")
    token.add_argument("--id", action="store_true", help="print the ID token instead")
    subcommands.add_parser("counts", help="print the number of requests per endpoint")
    env = subcommands.add_parser("env", help="print the lines for an application's .env")
    env.add_argument("--for", dest="framework", choices=FRAMEWORKS, help="settings of a library")
    subcommands.add_parser("operations", help="print the table of the operations of the API")
    subcommands.add_parser("reset", help="delete all state and load the users of pool.toml again")
    try:
        _perform(parser.parse_args(sys.argv[1:] or ["serve"]))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _perform(options: argparse.Namespace) -> None:
    if options.subcommand == "do":
        print(_call("POST", "faults", {"do": shlex.join(options.words)})["said"])
    elif options.subcommand == "token":
        body = {"as": options.name, "scope": options.scope, "client": options.client}
        print(_call("POST", "token", body)["id_token" if options.id else "access_token"])
    elif options.subcommand == "counts":
        for name, number in sorted(_call("GET", "counts").items()):
            print(f"{number:6} {name}")
    elif options.subcommand == "env":
        print(lines(load_config(os.environ), options.framework))
    elif options.subcommand == "operations":
        _print_operations()
    elif options.subcommand == "reset":
        _reset()
    else:
        _serve(options.host, options.allow_remote)


def _print_operations() -> None:
    from . import operations
    from .api import ACCEPTED, OPERATIONS

    print(operations.table(OPERATIONS, ACCEPTED), end="")


def _serve(host: str, allow_remote: bool) -> None:
    from . import seeding, tls
    from .journal import Journal
    from .pool import Pool
    from .server import Server, listen
    from .store import Store

    if host not in LOOPBACK and not allow_remote:
        raise ConfigError(
            f"{host} is not a loopback address, and the pool is for development only."
            " To serve it there anyway, add --allow-remote."
        )
    config = load_config(os.environ)
    try:
        listener = listen(host, config.port)
    except OSError as error:
        problem = "is in use: stop the process that uses it, or set POOL_PORT to a free port"
        if isinstance(error, PermissionError):
            problem = "requires root privileges: set POOL_PORT to a port above 1023"
        raise ConfigError(f"Port {config.port} {problem}.") from error
    store = Store(_folder())
    pool = Pool(config, store, journal=Journal(_print))
    seeding.seed(pool)
    stop_requested = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop_requested.set())
    context = tls.server_context(store) if config.tls else None
    store.write(_PORT_FILE, str(config.port))
    server = Server(pool, listener, (*LOOPBACK, host), context)
    stop_requested.wait()
    (store.folder / _PORT_FILE).unlink(missing_ok=True)
    server.stop()


def _print(line: str) -> None:
    with contextlib.suppress(OSError):  # a closed pipe must not stop sign-ins
        print(line, flush=True)


def _folder() -> Path:
    return Path(os.environ.get("LOCAL_POOL_DIR") or ".local/pool")


def _reset() -> None:
    try:
        print(_call("POST", "faults", {"do": "reset"})["said"])
    except ConfigError:  # it is not running
        for name in ("state.json", "keys.json"):
            (_folder() / name).unlink(missing_ok=True)
        print("the pool will start as pool.toml declares it")


def _environ_of_running_pool() -> dict[str, str]:
    """Return the environment, with the port of the pool that uses this folder.

    Its port may come from an `.env` that this process does not read.
    """
    environ = dict(os.environ)
    with contextlib.suppress(FileNotFoundError):
        environ.setdefault("POOL_PORT", (_folder() / _PORT_FILE).read_text(encoding="ascii"))
    return environ


def _call(method: str, path: str, body: dict[str, str] | None = None) -> Any:
    """Return the running pool's JSON response, or raise ConfigError with a message to print."""
    config, context = load_config(_environ_of_running_pool()), None
    if config.tls:
        context = ssl.create_default_context(cafile=_folder() / "tls.pem")
    data = json.dumps(body).encode() if body is not None else None
    headers = {"Content-Type": "application/json"}
    url = f"{config.api_url.replace('localhost', '127.0.0.1')}/_local/{path}"
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 (loopback)
    try:
        opened = urllib.request.urlopen(request, timeout=10, context=context)  # noqa: S310 (loopback)
        with opened as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        with contextlib.suppress(ValueError):
            raise ConfigError(json.load(error)["error"]) from error
        raise ConfigError(f"The pool responded with {error.code}.") from error
    except (OSError, ValueError) as error:
        start = "make run" if __package__ == "local_pool" else f"python -m {__package__}"
        message = f"No local pool responds on port {config.port}: start it with {start}"
        raise ConfigError(f"{message}, or set POOL_PORT to its port.") from error


if __name__ == "__main__":
    sys.exit(main())
