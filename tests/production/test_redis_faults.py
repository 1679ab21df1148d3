"""The shared cache with a Redis that does not work: requests continue, probes report it."""

import signal
import socket
import tempfile
from pathlib import Path

import pytest
import redis

from accounts.provider.shared_cache import PAUSE, Accelerator, is_configured
from tools.rehearsal.services import Redis, until

pytestmark = pytest.mark.xdist_group("production")
PAUSES = 3


@pytest.fixture(scope="module")
def server():
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        running = Redis(Path(folder))
        yield running
        running.end()


@pytest.fixture
def clock():
    return [100.0]


@pytest.fixture
def accelerator(server, settings, clock):
    settings.CACHES = {
        "default": {
            "BACKEND": "sso_project.cache.JSONRedisCache",
            "LOCATION": server.url,
            "OPTIONS": {"socket_connect_timeout": 0.25, "socket_timeout": 0.25},
        }
    }
    settings.COGNITO = {**settings.COGNITO, "SHARED_CACHE": "default"}
    made = Accelerator(clock=lambda: clock[0])
    until(lambda: not made.is_away(), "Redis")
    return made


def broken(accelerator, clock, caplog):
    """Check that requests continue without the cache, and that the log has one line about it."""
    caplog.clear()
    for _ in range(PAUSES):
        accelerator.set("a", 1, seconds=60)
        assert accelerator.get("a", max_age=60) is None
        assert accelerator.is_away()
        clock[0] += PAUSE
    assert len(caplog.records) == 1


def works(accelerator, clock):
    clock[0] += PAUSE
    accelerator.set("a", 2, seconds=60)
    assert accelerator.get("a", max_age=60) == 2
    assert not accelerator.is_away()


SETTINGS = {
    "read-only replica": (["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]),
    "out of memory": (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]),
}


@pytest.mark.parametrize("fault", SETTINGS)
def test_redis_that_refuses_to_write(server, accelerator, clock, caplog, fault):
    begin, end = SETTINGS[fault]
    with redis.Redis.from_url(server.url) as admin:
        admin.execute_command(*begin)
        try:
            broken(accelerator, clock, caplog)
        finally:
            admin.execute_command(*end)
    works(accelerator, clock)


def test_redis_that_requires_a_password(server, accelerator, clock, caplog):
    with redis.Redis.from_url(server.url) as admin:
        admin.config_set("requirepass", "secret")
        admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        try:
            broken(accelerator, clock, caplog)
        finally:
            admin.config_set("requirepass", "")
    works(accelerator, clock)


def test_redis_that_hangs(server, accelerator, clock, caplog):
    server.send(signal.SIGSTOP)
    try:
        broken(accelerator, clock, caplog)
    finally:
        server.send(signal.SIGCONT)
    until(lambda: not accelerator.is_away(), "Redis")
    works(accelerator, clock)


def test_half_open_connection(accelerator, clock, caplog, settings):
    """A port that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        silent = {**settings.CACHES["default"], "LOCATION": address}
        settings.CACHES = {"default": silent}
        assert is_configured()
        broken(accelerator, clock, caplog)


@pytest.mark.parametrize("command", [["SET", "{}", "garbage"], ["RPUSH", "{}", "a"]])
def test_entry_of_another_program(server, accelerator, clock, command):
    accelerator.set("a", 1, seconds=60)
    with redis.Redis.from_url(server.url) as admin:
        name = next(key for key in admin.scan_iter() if key.endswith(b":a")).decode()
        admin.delete(name)
        admin.execute_command(*(word.format(name) for word in command))
    assert accelerator.get("a", max_age=60) is None
    works(accelerator, clock)
