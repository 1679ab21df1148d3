"""Helpers of the parts whose errors would not be noticed, and the peers."""

import json
import mmap
import os
import re
import signal
import subprocess
import time
from base64 import urlsafe_b64decode
from types import SimpleNamespace

import jwt
import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import AsyncClient

from accounts.testing import mint_access_token
from tests.imports import ROOT
from tools.bench.charts import charts
from tools.bench.load import RequestSpec
from tools.bench.measuring import MeasurementError, Spread, in_turn
from tools.bench.options import Options
from tools.bench.outcome import Figure, Outcome
from tools.bench.parts import asgi, macro, micro
from tools.bench.parts.macro import break_signature
from tools.bench.parts.page import QueryCounter
from tools.bench.parts.profiling import Samples, area_of
from tools.bench.parts.scaling import MEBIBYTE, Memory
from tools.bench.parts.storm import with_key_id
from tools.bench.parts.subject import Subject
from tools.bench.servers import Server
from tools.bench.userinfo import UserInfo

MAX_LABEL_LENGTH = 45  # characters that fit next to the bars
INSTALLED = ROOT / ".local/bench/installed"


def pins(*names):
    text = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in names)
    return dict(re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==(\S+)", text.lower(), re.MULTILINE))


def test_packages_in_both_requirements_have_one_version():
    runtime = pins("requirements-runtime.txt", "requirements-run.txt", "requirements.txt")
    bench = pins("tools/bench/requirements.txt")
    assert {"django-cognito-jwt", "joserfc", "flask"} <= set(bench)
    assert {name: bench[name] for name in bench if name in runtime} == {
        name: runtime[name] for name in runtime if name in bench
    }


@pytest.mark.parametrize(
    "path", ["requirements.txt", "requirements-run.txt", "tools/bench/requirements.txt"]
)
def test_requirements_include_a_file_that_exists(path):
    """pip reads `-r` relative to the file that names it, so a moved file breaks its includes."""
    file = ROOT / path
    (included,) = re.findall(r"^-r (\S+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    assert (file.parent / included).is_file()


def test_another_key_id_leaves_the_rest_of_the_token():
    token = mint_access_token()
    changed = with_key_id(token, "unknown-1")
    assert jwt.get_unverified_header(changed)["kid"] == "unknown-1"
    assert changed.split(".")[1:] == token.split(".")[1:]


def test_broken_token_has_another_signature_of_the_same_length():
    token = f"Bearer {mint_access_token()}"
    changed = break_signature(token)
    assert changed != token
    assert len(changed) == len(token)
    assert changed.rpartition(".")[0] == token.rpartition(".")[0]
    assert json.loads(urlsafe_b64decode(changed.split(".")[1] + "=="))


def test_subject_with_wrong_responses_has_no_figure():
    subject = Subject(RequestSpec(1, "/", {}), connections=1, seconds=0.01)
    series = in_turn({"nobody there": subject}, 1)["nobody there"]
    with pytest.raises(MeasurementError, match="ConnectionRefusedError"):
        subject.figure("table", series)


@pytest.mark.django_db
def test_queries_are_counted():
    counter = QueryCounter()
    with connection.execute_wrapper(counter), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.execute("SELECT 1")
    assert counter.count == 2
    assert counter.statements == {"SELECT 1": 2}


@pytest.mark.django_db
@pytest.mark.undocumented_responses
@pytest.mark.urls("tools.bench.parts.twins")
def test_awaited_view_and_its_twin_have_one_response(client, cognito):
    headers = {"authorization": f"Bearer {mint_access_token('ada')}"}
    plain = client.get("/api/plain", headers=headers)
    awaited = async_to_sync(AsyncClient().get)("/api/awaited", headers=headers)
    assert (plain.status_code, awaited.status_code) == (200, 200)
    assert plain.json() == awaited.json()


def test_awaited_view_is_compared_round_by_round():
    class Site:
        databases = SimpleNamespace(make=lambda rows: {})
        bearer = staticmethod(dict)
        inside = staticmethod(lambda *args: {"awaited": [2.0, 9.0, 4.0], "plain": [1.0, 3.0, 2.0]})

    outcome = asgi.run(Site, Options())
    assert outcome.results["awaited view"].found == Spread(2.0, 2.0, 3.0)
    assert [figure.name for figure in outcome.figures] == list(asgi.NAMES.values())


def test_areas_cover_all_time_and_c_functions_count_for_their_callers():
    deadline, numbers = time.monotonic() + 60, list(range(50_000))
    with Samples() as samples:
        while samples.areas.total() < 25 and time.monotonic() < deadline:
            json.dumps(numbers)
    shares = samples.shares()
    assert sum(shares.values()) == pytest.approx(1)
    assert max(shares, key=shares.get) == "JSON"
    assert signal.getitimer(signal.ITIMER_PROF)[0] == 0


@pytest.mark.parametrize(
    ("file", "area"),
    [
        ("/x/accounts/api/authentication.py", "authentication, sessions (`accounts`)"),
        ("/x/django/db/models/query.py", "Django's ORM"),
        ("/x/django/db/backends/sqlite3/base.py", "the database itself"),
        ("/x/psycopg/cursor.py", "the database itself"),
        ("/x/django/http/response.py", "Django's requests and responses"),
        ("/usr/lib/python3.11/io.py", "Python itself"),
    ],
)
def test_area_of_a_file(file, area):
    assert area_of(file) == area


def test_charts_distinguish_ours_from_peers_and_bounds():
    names = [macro.OURS, macro.FLOOR, f"{macro.PEER}, {macro.RECOMMENDED}"]
    outcome = Outcome(figures=[Figure(macro.LIST, n, Spread(1, 1, 1), "req/s") for n in names])
    outcome.figures += [Figure(micro.TABLE, n, Spread(1, 1, 1), "µs") for n in micro.NAMES.values()]
    requests, tokens = charts(outcome)
    assert [bar.kind for bar in requests.bars] == ["ours", "bound", "peer"]
    assert [bar.kind for bar in tokens.bars] == ["bound", *["ours"] * 3, *["peer"] * 4]
    assert (
        max(len(bar.name) for chart in (requests, tokens) for bar in chart.bars) <= MAX_LABEL_LENGTH
    )
    assert charts(Outcome()) == []


def test_memory_growth_is_measured_to_its_peak():
    watch = Memory(os.getpid())
    # Not from the heap, where earlier tests may have left as much unused memory.
    with mmap.mmap(-1, 32 * MEBIBYTE) as block:
        for _ in range(32):
            block.write(b"x" * MEBIBYTE)
    assert 30 * MEBIBYTE <= watch.grown() <= 60 * MEBIBYTE


def test_cpu_time_is_that_of_the_workers():
    class OneWorker:
        def workers(self):
            return [os.getpid()]

    times = os.times()
    assert Server.cpu_seconds(OneWorker()) == pytest.approx(times.user + times.system, abs=0.2)


@pytest.mark.parametrize(
    ("request_of", "status"),
    [
        (b"GET / HTTP/1.1\r\nAuthorization: Bearer good\r\n\r\n", b"200 OK"),
        (b"GET / HTTP/1.1\r\nauthorization:Bearer good\r\n\r\n", b"200 OK"),
        (b"GET / HTTP/1.1\r\nAuthorization: Bearer goods\r\n\r\n", b"401 Unauthorized"),
        (b"GET / HTTP/1.1\r\nX: Bearer good\r\n\r\n", b"401 Unauthorized"),
    ],
)
def test_userinfo_accepts_one_token(request_of, status):
    class Transport:
        output = b""

        def write(self, data):
            self.output += data

    stub = type("Stub", (UserInfo,), {"token": b"good", "claims": b'{"sub": "1"}'})()
    stub.connection_made(Transport())
    stub.data_received(request_of[:30])
    assert stub.transport.output == b""
    stub.data_received(request_of[30:])
    assert stub.transport.output.startswith(b"HTTP/1.1 " + status + b"\r\n")
    assert stub.transport.output.endswith(b'{"sub": "1"}') is (status == b"200 OK")


@pytest.mark.skipif(not INSTALLED.exists(), reason="`make bench` installs what it needs")
def test_peers_return_our_list_and_reject_broken_tokens(clean_environ):
    code = (
        "from tools.bench.bench_site import Site\n"
        "from tools.bench.parts.macro import require_peers_to_agree\n"
        "from tools.bench.servers import ONE_SYNC_WORKER\n"
        "with Site() as site:\n"
        "    environment = site.databases.make(108)\n"
        "    one = site.serve('site', environment, *ONE_SYNC_WORKER)\n"
        "    peers = site.serve('peers', environment, *ONE_SYNC_WORKER)\n"
        "    require_peers_to_agree(site, one, peers)\n"
        "    print('agreed')\n"
    )
    done = subprocess.run(
        [INSTALLED.parent / "venv/bin/python", "-c", code],
        cwd=ROOT,
        env=clean_environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "agreed\n", done.stderr[-3000:]
