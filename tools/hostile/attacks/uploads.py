"""Files of anonymous clients, which must not be written to disk."""

from __future__ import annotations

from collections.abc import Iterator

from ..attack import CLOSED, REFUSED, Attack, Attacker, Headers, Response, receive

BOUNDARY = "xxxxxxxxxxxxxxxx"
IMPORT = "/admin/stats/stat/import/"
KNOWN = ("/accounts/logout/", "/admin/logout/", "/api/stats", "/api/auth/get-tokens", IMPORT)
UNKNOWN = ("/upload", "/api/upload", "/admin/upload/", "/static/upload", "/wp-admin/upload.php")
_CSRF = "a" * 32
MEGABYTE = 1024 * 1024


def head_of_file(name: str = "f") -> bytes:
    """Return multipart fields that pass Django's CSRF check, and the start of a file."""
    field = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{{}}"{{}}\r\n\r\n'
    token = field.format("csrfmiddlewaretoken", "") + f"{_CSRF}\r\n"
    return (token + field.format(name, '; filename="a.bin"')).encode()


def headers(attacker: Attacker, cookie: str = f"csrftoken={_CSRF}") -> Headers:
    return [
        ("Content-Type", f"multipart/form-data; boundary={BOUNDARY}"),
        ("Referer", f"http://localhost:{attacker.target.proxy_port}/"),
        ("Cookie", cookie),
    ]


def body(megabytes: int) -> bytes:
    return head_of_file() + b"A" * megabytes * MEGABYTE + f"\r\n--{BOUNDARY}--\r\n".encode()


def flood_known(attacker: Attacker) -> Iterator[Response]:
    while True:
        method = attacker.random.choice(("POST", "POST", "PUT", "PATCH", "DELETE"))
        path = attacker.random.choice(KNOWN)
        yield attacker.request(method, path, headers(attacker), body(3))


def flood_unknown(attacker: Attacker) -> Iterator[Response]:
    while True:
        path = attacker.random.choice(UNKNOWN)
        yield attacker.request("POST", path, headers(attacker), body(3))


def flood_import(attacker: Attacker) -> Iterator[Response]:
    """Send files to the import, for which the proxy allows large bodies."""
    cookies = (f"csrftoken={_CSRF}", attacker.target.insider_session)
    while True:
        cookie = attacker.random.choice(cookies)
        yield attacker.request("POST", IMPORT, headers(attacker, cookie), body(8))


def whole_files(attacker: Attacker) -> Iterator[Response]:
    """Send a file to an instance, which must read all of it.

    Otherwise, nginx would consider the instance broken, and not use it for a while.
    """
    raw = attacker.raw("POST", IMPORT, headers(attacker), body(8))
    while True:
        with attacker.connect(attacker.any_instance) as connection:
            try:
                connection.sendall(raw)
            except OSError:
                yield Response(CLOSED)
            else:
                yield receive(connection)


def unfinished(attacker: Attacker) -> Iterator[Response]:
    """Announce 99 MB to an instance, send 2 MB and disconnect."""
    while True:
        path = attacker.random.choice(KNOWN + UNKNOWN)
        announced = [*headers(attacker), ("Content-Length", "99000000")]
        raw = attacker.raw("POST", path, announced) + head_of_file() + b"A" * 2 * MEGABYTE
        yield attacker.send_and_leave(raw, attacker.any_instance)


ATTACKS = (
    Attack("files to existing URLs", flood_known, 2),
    Attack("files to unknown URLs", flood_unknown, 1),
    Attack("files to the import page", flood_import, 1, addresses=2),
    Attack("whole files to an instance", whole_files, 0.5),
    Attack("files that never end", unfinished, 1, REFUSED | {CLOSED}),
)
