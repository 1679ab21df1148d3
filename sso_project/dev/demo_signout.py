"""`make demo-signout`: show that "Sign out everywhere" revokes access tokens already issued.

It starts a site and a local pool, signs a user in, and calls the API with an access token of the
user until the API refuses it.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import requests

from local_pool.testing import LocalPool

MAX_START_SECONDS = 60.0
MAX_REVOCATION_SECONDS = 3.0  # the documented maximum is one second


def main() -> int:
    """Run the demo and return its exit status: 0 if the token was refused."""
    port = _free_port()
    site = f"http://localhost:{port}"
    with LocalPool(public_url=site) as pool, _running_site(site, port, pool.env()):
        browser = requests.Session()
        _sign_in(site, pool, browser)
        access_token = pool.tokens_for("ada")["access_token"]
        print("ada is signed in. A script calls the API with an access token of ada:\n")
        for _ in range(2):
            _call(site, access_token)
            time.sleep(0.5)
        signed_out_at = time.monotonic()
        _post(site, browser, "/profile/sign-out-everywhere/")
        print(f"{_now()}  ada signs out everywhere")
        while time.monotonic() - signed_out_at < MAX_REVOCATION_SECONDS:
            if _call(site, access_token) == 401:
                seconds = time.monotonic() - signed_out_at
                print(
                    f"\nThe API refused the token {seconds:.1f} s after the sign-out. The token"
                    " itself is valid for an hour."
                )
                return 0
            time.sleep(0.25)
    print("\nThe token still works: the sign-out did not revoke it.", file=sys.stderr)
    return 1


@contextmanager
def _running_site(site: str, port: int, pool: dict[str, str]) -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="demo-signout-") as folder:
        environ = (
            os.environ
            | pool
            | {
                "ENV_FILE": os.devnull,
                "DEBUG": "1",
                "SECRET_KEY": "of-a-demo-that-lasts-seconds",
                "PORT": str(port),
                "PUBLIC_URL": site,
                "DATABASE_URL": f"sqlite:///{Path(folder) / 'demo.sqlite3'}",
                "REDIS_URL": "",
            }
        )
        manage = [sys.executable, "manage.py"]
        subprocess.run([*manage, "migrate", "-v0"], env=environ, check=True)
        server = subprocess.Popen(
            [*manage, "runserver", "--noreload", f"127.0.0.1:{port}"],
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(site, server)
            yield
        finally:
            server.terminate()
            server.wait()


def _wait_for(site: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + MAX_START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            requests.get(site, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    sys.exit("The site did not start. Run `make run` to see the cause.")


def _sign_in(site: str, pool: LocalPool, browser: requests.Session) -> None:
    start = browser.get(f"{site}/accounts/login/", allow_redirects=False, timeout=20)
    callback = pool.sign_in(start.headers["Location"], "ada", session=browser)
    browser.get(callback, allow_redirects=False, timeout=20)


def _post(site: str, browser: requests.Session, path: str) -> None:
    page = browser.get(f"{site}{path}", timeout=20).text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    form = {"csrfmiddlewaretoken": token[1] if token else ""}
    browser.post(f"{site}{path}", form, allow_redirects=False, timeout=20)


def _call(site: str, access_token: str) -> int:
    headers = {"Authorization": f"Bearer {access_token}"}
    response = requests.get(f"{site}/api/user", headers=headers, timeout=20)
    detail = "" if response.ok else f"  {response.json()['detail']}"
    print(f"{_now()}  GET /api/user  {response.status_code}{detail}", flush=True)
    return response.status_code


def _now() -> str:
    return f"{datetime.now().astimezone():%H:%M:%S.%f}"[:-5]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
