"""The shared cache with a Redis that does not work: requests continue, probes report it."""

import signal
import socket
import tempfile
from pathlib import Path

import pytest
import redis

from accounts.provider.shared_cache import RETRY_PAUSE_SECONDS, SharedCache, is_configured
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
def shared_cache(server, settings, clock):
    settings.CACHES = {
        "default": {
            "BACKEND": "sso_project.cache.JSONRedisCache",
            "LOCATION": server.url,
            "OPTIONS": {"socket_connect_timeout": 0.25, "socket_timeout": 0.25},
        }
    }
    settings.COGNITO = {**settings.COGNITO, "SHARED_CACHE": "default"}
    made = SharedCache(clock=lambda: clock[0])
    until(lambda: not made.is_down(), "Redis")
    return made


def broken(shared_cache, clock, caplog):
    """Check that requests continue without the cache, and that the log has one line about it."""
    caplog.clear()
    for _ in range(PAUSES):
        shared_cache.set("a", 1, seconds=60)
        assert shared_cache.get("a", max_age=60) is None
        assert shared_cache.is_down()
        clock[0] += RETRY_PAUSE_SECONDS
    assert len(caplog.records) == 1


def works(shared_cache, clock):
    clock[0] += RETRY_PAUSE_SECONDS
    shared_cache.set("a", 2, seconds=60)
    assert shared_cache.get("a", max_age=60) == 2
    assert not shared_cache.is_down()


SETTINGS = {
    "read-only replica": (["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]),
    "out of memory": (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]),
}


@pytest.mark.parametrize("fault", SETTINGS)
def test_redis_that_refuses_to_write(server, shared_cache, clock, caplog, fault):
    begin, end = SETTINGS[fault]
    with redis.Redis.from_url(server.url) as admin:
        admin.execute_command(*begin)
        try:
            broken(shared_cache, clock, caplog)
        finally:
            admin.execute_command(*end)
    works(shared_cache, clock)


def test_redis_that_requires_a_password(server, shared_cache, clock, caplog):
    with redis.Redis.from_url(server.url) as admin:
        admin.config_set("requirepass", "secret")
        admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        try:
            broken(shared_cache, clock, caplog)
        finally:
            admin.config_set("requirepass", "")
    works(shared_cache, clock)


def test_redis_that_hangs(server, shared_cache, clock, caplog):
    server.send(signal.SIGSTOP)
    try:
        broken(shared_cache, clock, caplog)
    finally:
        server.send(signal.SIGCONT)
    until(lambda: not shared_cache.is_down(), "Redis")
    works(shared_cache, clock)


def test_half_open_connection(shared_cache, clock, caplog, settings):
    """A port that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        silent = {**settings.CACHES["default"], "LOCATION": address}
        settings.CACHES = {"default": silent}
        assert is_configured()
        broken(shared_cache, clock, caplog)


@pytest.mark.parametrize("command", [["SET", "{}", "garbage"], ["RPUSH", "{}", "a"]])
def test_entry_of_another_program(server, shared_cache, clock, command):
    shared_cache.set("a", 1, seconds=60)
    with redis.Redis.from_url(server.url) as admin:
        name = next(key for key in admin.scan_iter() if key.endswith(b":a")).decode()
        admin.delete(name)
        admin.execute_command(*(word.format(name) for word in command))
    assert shared_cache.get("a", max_age=60) is None
    works(shared_cache, clock)
