"""`manage.py dev` as a process: its output, its ports and its end."""

import base64
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from itertools import count
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import pytest

from local_pool.testing import LocalPool
from sso_project.dev.processes import RESTARTED
from tests.imports import ROOT

MAX_WAIT_SECONDS = 60  # for a busy machine
APP = "sso_project.dev.app"


def free_ports(count):
    """Return `count` different ports that are free now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def get_status(port, path="/"):
    try:
        with build_opener(ProxyHandler({})).open(
            f"http://localhost:{port}{path}", timeout=60
        ) as page:
            return page.status
    except HTTPError as error:
        with error:
            return error.code
    except OSError:
        return None


def eventually(happened):
    deadline = time.monotonic() + MAX_WAIT_SECONDS
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.1)
    return False


class Run:
    """One running `manage.py dev`."""

    def __init__(self, environ, output, stdin=subprocess.DEVNULL):
        self.output = output
        with output.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "dev"],
                cwd=ROOT,
                env=environ,
                stdin=stdin,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def text(self):
        return self.output.read_text()

    def wait_for_card(self):
        shown = eventually(lambda: "Sign in  " in self.text or self.process.poll() is not None)
        assert shown, self.text
        assert self.process.poll() is None, self.text

    def processes(self):
        """Return the process ID and the command of each child, in lines."""
        command = ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(self.process.pid)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def children(self):
        """Return the process ID of each child by the name of its module."""
        found = re.findall(r"^ *(\d+) .*lifeline ([\w.]+)", self.processes(), re.M)
        return {module: int(pid) for pid, module in found}

    def end(self, number=signal.SIGINT):
        """Send a signal to the process, or to its group as a terminal does; return its status."""
        if number in (signal.SIGINT, signal.SIGHUP):
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        return self.process.wait(MAX_WAIT_SECONDS)


@pytest.fixture
def environ(tmp_path, clean_environ):
    port, pool_port = free_ports(2)
    return clean_environ | {
        "ENV_FILE": os.devnull,
        "PORT": str(port),
        "POOL_PORT": str(pool_port),
        "LOCAL_POOL_DIR": str(tmp_path / "pool"),
        "DATABASE_URL": f"sqlite:///{tmp_path}/app.sqlite3",
        "SECRET_KEY": "tests-only-secret-key-that-signs-nothing-of-worth-0123456789",
    }


@pytest.fixture
def run(environ, tmp_path):
    @contextmanager
    def start(stdin=subprocess.DEVNULL, **variables):
        one = Run(environ | variables, tmp_path / "output", stdin)
        try:
            yield one
        finally:
            if one.process.poll() is None:
                os.killpg(one.process.pid, signal.SIGKILL)
                one.process.wait()

    return start


def are_stopped(environ):
    return get_status(environ["PORT"]) is None and get_status(environ["POOL_PORT"]) is None


def test_run_prints_the_card_and_ctrl_c_stops_app_and_pool(run, environ):
    with run() as one:
        one.wait_for_card()
        assert get_status(environ["PORT"]) == 200
        assert get_status(environ["POOL_PORT"], "/_local/health") == 200
        assert re.fullmatch(
            r"Ready in \d+ s · local pool, nothing leaves this machine\n"
            rf"  App      http://localhost:{environ['PORT']}\n"
            rf"  Pool     http://localhost:{environ['POOL_PORT']}/_local/\n"
            r"  Sign in  ada \(admins\)  grace \(editors\)  linus   Cognito-demo-1\n"
            r'  Try      curl -H "Authorization: Bearer '
            rf"\$\(make -s token AS=ada POOL_PORT={environ['POOL_PORT']}\)\" "
            rf"localhost:{environ['PORT']}/api/user\n",
            one.text,
        )
        before = one.text
        assert one.end() == 0
        assert one.text == before
        assert are_stopped(environ)


def test_run_passes_the_same_values_to_app_and_pool(run, environ):
    with run(POOL_ID="local-1_OtherPool", POOL_CLIENT_ID="otherclient") as one:
        one.wait_for_card()
        opener = build_opener(ProxyHandler({}))
        with opener.open(f"http://localhost:{environ['PORT']}/accounts/login/", timeout=60) as page:
            assert page.url.startswith(f"http://localhost:{environ['POOL_PORT']}/login?")
            assert "client_id=otherclient" in page.url
        discovery = "/local-1_OtherPool/.well-known/openid-configuration"
        assert get_status(environ["POOL_PORT"], discovery) == 200
        one.end()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_run_stops_on_a_signal(run, environ, number):
    with run() as one:
        one.wait_for_card()
        assert one.end(number) == 0
        assert are_stopped(environ)


def test_run_stops_when_its_terminal_closes(run, environ):
    """Even if SIGHUP goes only to another process, such as a `make` that waits for us."""
    controller, terminal = os.openpty()
    with run(stdin=terminal) as one:
        os.close(terminal)
        one.wait_for_card()
        os.close(controller)
        assert one.process.wait(MAX_WAIT_SECONDS) == 0
        assert are_stopped(environ)


def test_killed_run_leaves_no_processes(run, environ):
    with run() as one:
        one.wait_for_card()
        one.end(signal.SIGKILL)
        assert eventually(lambda: are_stopped(environ))


def test_run_ends_with_a_message_when_a_child_exits(run, environ):
    with run() as one:
        one.wait_for_card()
        os.kill(one.children()["local_pool"], signal.SIGKILL)
        assert one.process.wait(MAX_WAIT_SECONDS) == 1
        assert one.text.endswith("The local pool exited unexpectedly, so everything was stopped.\n")
        assert are_stopped(environ)


def test_changed_file_restarts_the_app_only(run, environ, tmp_path):
    file = tmp_path / "sitecustomize.py"  # every Python process imports it
    file.touch()
    times = count(time.time() + 3600)

    def change():
        moment = next(times)
        os.utime(file, (moment, moment))

    change()  # later than the start, like an edit while the app checks and migrates
    with run(PYTHONPATH=str(tmp_path)) as one:
        one.wait_for_card()
        assert re.search(rf"{APP} \d+ {RESTARTED}$", one.processes(), re.M)
        before = one.children()

        def is_restarted():
            change()  # again, because the server may not watch it yet
            return one.children().get(APP, before[APP]) != before[APP]

        assert eventually(is_restarted)
        assert eventually(lambda: get_status(environ["PORT"]) == 200), one.text
        assert one.children()["local_pool"] == before["local_pool"]
        assert one.end() == 0
        assert are_stopped(environ)


@pytest.mark.parametrize("name", ["PORT", "POOL_PORT"])
def test_run_reports_a_port_in_use_first(run, environ, tmp_path, name):
    with socket.create_server(("127.0.0.1", int(environ[name]))), run() as one:
        assert one.process.wait(MAX_WAIT_SECONDS) == 1
        assert re.fullmatch(
            rf"Port {environ[name]} is used by another program\. "
            rf"Stop it, or choose another port: {name}=\d+ make run\n",
            one.text,
        )
    assert not (tmp_path / "pool").exists()
    assert not (tmp_path / "app.sqlite3").exists()


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"PORT": "http"}, "PORT=http is not a port. Use a number from 1 to 65535."),
        ({"POOL_PORT": "70000"}, "POOL_PORT=70000 is not a port. Use a number from 1 to 65535."),
        (
            {"PORT": "9", "POOL_PORT": "9"},
            "PORT and POOL_PORT are both 9. Use two different ports.",
        ),
        ({"POOL_ROTATE_REFRESH_TOKENS": "maybe"}, "POOL_ROTATE_REFRESH_TOKENS must be 1 or 0."),
    ],
)  # fmt: skip
def test_run_reports_an_invalid_value(run, variables, words):
    with run(**variables) as one:
        assert one.process.wait(MAX_WAIT_SECONDS) == 1
        assert one.text == f"{words}\n"


def test_run_reports_invalid_values_of_a_real_pool(run):
    with run(COGNITO_POOL_ID="eu-west-1_AbCdEf123", COGNITO_CLIENT_ID="not a client") as one:
        assert one.process.wait(MAX_WAIT_SECONDS) == 1
        for name in ("COGNITO_CLIENT_ID", "COGNITO_CLIENT_SECRET", "COGNITO_CLIENT_DOMAIN"):
            assert name in one.text
        assert "Traceback" not in one.text
        assert one.text.endswith("The app exited unexpectedly, so everything was stopped.\n")


def test_run_with_debug_off_serves_pages_with_their_static_files(run, environ, tmp_path):
    key = base64.urlsafe_b64encode(bytes(32)).decode()
    production = {"DEBUG": "0", "STATIC_ROOT": str(tmp_path / "static")}
    with run(**production, TOKEN_ENCRYPTION_KEYS=key) as one:
        one.wait_for_card()
        assert get_status(environ["PORT"]) == 200, one.text
        styles = next((tmp_path / "static" / "css").glob("base.*.css")).name
        assert get_status(environ["PORT"], f"/static/css/{styles}") == 200
        assert one.end() == 0


def test_run_reports_an_unavailable_database(run):
    [port] = free_ports(1)
    with run(DATABASE_URL=f"postgres://nobody@127.0.0.1:{port}/nothing") as one:
        assert one.process.wait(MAX_WAIT_SECONDS) == 1
        assert "Check DATABASE_URL" in one.text
        assert "Traceback" not in one.text


def test_run_with_a_real_pool_starts_no_local_pool(run, environ, tmp_path):
    file = tmp_path / "real.env"
    with ExitStack() as stack:
        pool = stack.enter_context(LocalPool(public_url=f"http://localhost:{environ['PORT']}"))
        file.write_text("".join(f"{name}={value}\n" for name, value in pool.env().items()))
        one = stack.enter_context(run(ENV_FILE=str(file)))
        assert eventually(lambda: "Ready in" in one.text or one.process.poll() is not None)
        assert get_status(environ["PORT"]) == 200, one.text
        assert get_status(environ["POOL_PORT"]) is None
        assert pool.pool_id in one.text
        assert "ada" not in one.text
        assert one.end() == 0


def test_dev_runs_another_command_in_the_same_environment(environ):
    code = "from django.conf import settings; print(settings.DEBUG, settings.PUBLIC_URL)"
    done = subprocess.run(
        [sys.executable, "manage.py", "dev", "shell", "--no-imports", "-c", code],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"True http://localhost:{environ['PORT']}\n"
