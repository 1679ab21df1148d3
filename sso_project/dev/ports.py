"""Which ports the run command takes, and whether they are free.

Imports nothing but the standard library: `make run` also asks before anything is installed
(`python -m sso_project.dev.ports`).
"""

import os
import socket
import sys
from collections.abc import Mapping

DEFAULTS = {"PORT": 8000, "POOL_PORT": 9000}


class PortProblem(Exception):
    """A port that cannot be used; the message says which, why and which variable changes it."""


def chosen(environ: Mapping[str, str], name: str) -> int:
    """The port that the variable `name` asks for, else its default.

    Raises PortProblem when the value is no TCP port.
    """
    raw = environ.get(name, "").strip() or str(DEFAULTS[name])
    if not raw.isascii() or not raw.isdecimal() or not 1 <= int(raw) <= 65535:
        raise PortProblem(f"{name}={raw} is no port. Choose one from 1 to 65535.")
    return int(raw)


def require_free(ports: Mapping[str, int]) -> None:
    """Raise PortProblem unless every port (by the name of its variable) can be listened on."""
    if len(set(ports.values())) < len(ports):
        names = " and ".join(ports)
        raise PortProblem(f"{names} are both {min(ports.values())}. Give each its own.")
    taken = {name: port for name, port in ports.items() if is_taken(port)}
    if taken:
        sentences = [f"Port {port} is taken by another program." for port in taken.values()]
        command = " ".join(f"{name}={free_near(port)}" for name, port in taken.items())
        raise PortProblem(
            f"{' '.join(sentences)} Stop it, or choose another port: {command} make run"
        )


def is_taken(port: int) -> bool:
    """Whether something answers at localhost:`port`, or listening there is refused.

    Both are asked, and for IPv4 and IPv6: a browser that finds a stranger on [::1] never comes to
    our 127.0.0.1.
    """
    for host in ("127.0.0.1", "::1"):
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:  # nobody there, or no IPv6 on this machine
            continue
        return True
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def free_near(port: int) -> int:
    """A free port to suggest instead of `port`."""
    return next(
        (other for other in range(port + 1, min(port + 100, 65536)) if not is_taken(other)), 0
    )


def main() -> int:
    """Say which of the two ports is taken, on standard error; the exit status for the shell."""
    try:
        require_free({name: chosen(os.environ, name) for name in DEFAULTS})
    except PortProblem as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
