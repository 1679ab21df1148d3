"""The command line: ``python -m local_pool``."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import jwt
import pytest
import requests

from local_pool.config import load_config
from local_pool.server import listen


def free_port() -> int:
    with listen("127.0.0.1", 0) as listener:
        return listener.getsockname()[1]


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("local_pool") / "deep" / "folder"
    return os.environ | {"POOL_PORT": str(free_port()), "LOCAL_POOL_DIR": str(folder)}


def start(environment: dict[str, str]) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-m", "local_pool"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    url = f"http://localhost:{environment['POOL_PORT']}/_local/health"
    for _ in range(1_200):
        try:
            assert requests.get(url, timeout=60).json()["status"] == "ok"
            return process
        except requests.ConnectionError:
            time.sleep(0.05)
    raise AssertionError("the pool did not start")


@pytest.fixture(scope="module")
def running(environment) -> Iterator[subprocess.Popen]:
    process = start(environment)
    yield process
    process.kill()
    process.communicate()


def call(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "local_pool", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_token_prints_an_access_token_and_nothing_else(running, environment):
    printed = call(environment, "token", "ada").stdout
    claims = jwt.decode(printed.strip(), options={"verify_signature": False})
    assert claims["username"] == "ada"
    assert claims["token_use"] == "access"
    machine = call(environment, "token", "machine", "--scope", "stats/read").stdout
    assert jwt.decode(machine.strip(), options={"verify_signature": False})["scope"] == "stats/read"
    identity = call(environment, "token", "grace", "--id").stdout
    assert jwt.decode(identity.strip(), options={"verify_signature": False})["token_use"] == "id"


def test_token_of_an_unknown_user_is_one_sentence(running, environment):
    response = call(environment, "token", "nobody")
    assert (response.returncode, response.stdout) == (1, "")
    assert response.stderr == "User does not exist.\n"


def test_commands_take_effect(running, environment):
    output = call(environment, "do", "cognito-down", "--for", "60s").stdout
    assert output == "every endpoint: 503, 60 s left\n"
    url = f"http://127.0.0.1:{environment['POOL_PORT']}/oauth2/authorize"
    assert requests.get(url, timeout=60).status_code == 503
    assert call(environment, "do", "heal").returncode == 0
    assert requests.get(url, timeout=60, allow_redirects=False).status_code == 302
    wrong = call(environment, "do", "clock")
    assert wrong.returncode == 1
    assert "clock +1h" in wrong.stderr
    assert "authorize" in call(environment, "counts").stdout
    assert call(environment, "do", "clock", "-90s").returncode == 0
    assert call(environment, "reset").stdout == "the pool is as pool.toml declares it\n"


def test_commands_find_the_port_of_the_pool_that_uses_the_folder(running, environment):
    without_port = {name: text for name, text in environment.items() if name != "POOL_PORT"}
    assert call(without_port, "counts").returncode == 0


def test_environment_lines_name_the_pool(environment):
    response = call(environment, "env")
    expected = load_config(environment).app_environment()
    assert (response.returncode, response.stderr) == (0, "")
    assert response.stdout.splitlines() == [f"{k}={v}" for k, v in expected.items()]


def test_taken_port_is_one_sentence(running, environment):
    response = call(environment)
    assert response.returncode == 1
    assert response.stdout == ""
    port = environment["POOL_PORT"]
    assert response.stderr == (
        f"Port {port} is in use: stop the process that uses it, or set POOL_PORT to a free port.\n"
    )


def test_only_loopback_without_the_flag(environment):
    response = call(environment | {"POOL_PORT": str(free_port())}, "serve", "--host", "0.0.0.0")
    assert response.returncode == 1
    assert "--allow-remote" in response.stderr
    assert "Traceback" not in response.stderr


def test_malformed_setting_is_one_sentence(environment):
    response = call(environment | {"POOL_PORT": "ninety"})
    assert (response.returncode, response.stderr) == (1, "POOL_PORT must be a whole number.\n")


@pytest.mark.parametrize("text", ["{", '{"people": {"ada": {}}}'])
def test_state_that_cannot_be_read_is_one_sentence_and_reset_helps(environment, tmp_path, text):
    own = environment | {"POOL_PORT": str(free_port()), "LOCAL_POOL_DIR": str(tmp_path)}
    (tmp_path / "state.json").write_text(text)
    response = call(own)
    assert (response.returncode, response.stdout) == (1, "")
    assert "python -m local_pool reset" in response.stderr
    assert "Traceback" not in response.stderr
    assert call(own, "reset").returncode == 0
    assert not (tmp_path / "state.json").exists()


def test_without_a_pool_the_command_says_how_to_start_it(environment):
    port = free_port()
    response = call(environment | {"POOL_PORT": str(port)}, "token", "ada")
    assert response.returncode == 1
    message = f"No local pool responds on port {port}: start it with make run"
    assert response.stderr.startswith(message)


def test_it_listens_on_loopback_alone(running, environment):
    another_of_this_machine = ("127.0.0.2", int(environment["POOL_PORT"]))
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(another_of_this_machine, timeout=2).close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_events_alone_and_stops_silently(environment, tmp_path, number):
    own = {"POOL_PORT": str(free_port()), "LOCAL_POOL_DIR": str(tmp_path)}
    process = start(environment | own)
    assert call(environment | own, "do", "disable", "ada").returncode == 0
    process.send_signal(number)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert [line[8:] for line in printed.splitlines()] == [" pool  command   ada is disabled"]
