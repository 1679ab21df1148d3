"""The browsers that sign in, against a small real server."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tools.bench.browsers import callback_path, in_another_process
from tools.bench.measuring import MeasurementError

HOSTED_UI = "http://pool/authorize?redirect_uri=http%3A%2F%2Flocalhost%2Fsignin&state=s%201&nonce=n"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path, _, query = self.path.partition("?")
        status = 500 if path == "/broken" else 302
        is_callback = path == "/signin" and "state=s+1" in query and query.startswith("code=user-")
        has_cookie = "sessionid=before" in self.headers["Cookie"]
        changes = is_callback and has_cookie and not self.server.refuses
        self.send_response(status)
        self.send_header("Location", HOSTED_UI)
        self.send_header("Set-Cookie", f"sessionid={'after' if changes else 'before'}; Path=/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def site():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.refuses = False
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def browse(site, path="/login"):
    return in_another_process(
        port=site.server_port, login_path=path, users="user", browsers=2, seconds=0
    )


def test_callback_gets_the_state_and_a_code_for_the_stub():
    assert callback_path(HOSTED_UI, "ada") == "/signin?code=ada.n&state=s+1"
    assert callback_path(HOSTED_UI.removesuffix("&nonce=n"), "ada") == "/signin?code=ada.&state=s+1"


def test_each_browser_signs_in_at_least_once(site):
    assert browse(site)["sign_ins"] == 2


def test_unchanged_session_is_not_a_sign_in(site):
    site.refuses = True
    with pytest.raises(MeasurementError, match="a browser was not signed in"):
        browse(site)


def test_error_page_is_not_a_sign_in(site):
    with pytest.raises(MeasurementError, match="status 500 instead of 302"):
        browse(site, "/broken")
