"""The ports of `manage.py dev`, and the check that they are free.

It imports only the standard library, because `make run` calls it before anything is installed
(`python -m sso_project.dev.ports`).
"""

import os
import socket
import sys
from collections.abc import Mapping

DEFAULTS = {"PORT": 8000, "POOL_PORT": 9000}


class PortError(Exception):
    """An error about a port. The message names the port, the cause and the variable."""


def read_port(environ: Mapping[str, str], name: str) -> int:
    """Return the port in the variable `name`, or its default.

    Raises:
        PortError: the value is not a TCP port.
    """
    raw = environ.get(name, "").strip() or str(DEFAULTS[name])
    if not raw.isascii() or not raw.isdecimal() or not 1 <= int(raw) <= 65535:
        raise PortError(f"{name}={raw} is not a port. Use a number from 1 to 65535.")
    return int(raw)


def require_free(ports: Mapping[str, int]) -> None:
    """Raise PortError unless all `ports`, by the names of their variables, are free."""
    if len(set(ports.values())) < len(ports):
        names = " and ".join(ports)
        raise PortError(f"{names} are both {min(ports.values())}. Use two different ports.")
    in_use = {name: port for name, port in ports.items() if is_in_use(port)}
    if in_use:
        sentences = [f"Port {port} is used by another program." for port in in_use.values()]
        command = " ".join(f"{name}={find_free_port(port)}" for name, port in in_use.items())
        raise PortError(
            f"{' '.join(sentences)} Stop it, or choose another port: {command} make run"
        )


def is_in_use(port: int) -> bool:
    """Return True if a program listens at localhost:`port`, or if the port cannot be opened.

    IPv4 and IPv6 are both checked: a browser that reaches another program at [::1] does not try
    127.0.0.1.
    """
    for host in ("127.0.0.1", "::1"):
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:  # no program listens, or this machine has no IPv6
            continue
        return True
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def find_free_port(port: int) -> int:
    """Return a free port above `port`, or 0 if none of the next hundred is free."""
    return next(
        (other for other in range(port + 1, min(port + 100, 65536)) if not is_in_use(other)), 0
    )


def main() -> int:
    """Check both ports and return the exit status: 1 after printing an error."""
    try:
        require_free({name: read_port(os.environ, name) for name in DEFAULTS})
    except PortError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
