"""Uploads of anonymous clients are not written to disk, and other users still get pages."""

import shutil
import socket
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import pytest
import requests

from tests.production.test_two_instances import HOST, Browser
from tools.rehearsal.instances import Instance

pytestmark = pytest.mark.xdist_group("production")

PATHS = ["/admin/logout/", "/nosuch", "/api/stats/bulk", "/admin/stats/stat/import/",
         "/api/stats", "/api/auth/get-tokens", "/profile/", "/healthz", "/static/nosuch",
         "/accounts/logout/"]  # fmt: skip
PAGES = ["/", "/server/", "/healthz", "/readyz", "/docs", "/accounts/login/", "/signout",
         "/api/info/server", "/admin/", "/profile/"]  # fmt: skip


@pytest.fixture(scope="module")
def small_folder():
    """A temporary folder of 16 MB, or without a limit if mounting is not permitted."""
    folder = Path(tempfile.mkdtemp(prefix="small-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    mounted = shutil.which("mount") and subprocess.run(mount, capture_output=True).returncode == 0
    yield folder
    if mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def instance(site, small_folder):
    environment = {**site.environment, "TMPDIR": str(small_folder)}
    running = Instance(site.folder, "app-small", environment)
    yield running
    running.end()


def upload(port, path, *, chunked):
    """Send a file until the server closes the connection, and return its response."""
    start = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nReferer: http://localhost/\r\n"
        f"Cookie: csrftoken={'a' * 32}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    )
    size = "Transfer-Encoding: chunked" if chunked else "Content-Length: 12000000"
    part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
    piece = b"A" * 100_000
    framed = [b"%x\r\n%s\r\n" % (len(data), data) if chunked else data for data in (part, piece)]
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        try:
            connection.sendall(f"{start}{size}\r\n\r\n".encode() + framed[0])
            for _ in range(110):
                connection.sendall(framed[1])
            return connection.recv(100)
        except OSError:
            return b""


def test_flood_of_uploads_reaches_no_disk_and_blocks_no_user(instance, small_folder):
    seen, workers = set(), instance.workers()
    with ThreadPoolExecutor(len(PATHS)) as threads:
        floods = [
            threads.submit(upload, instance.port, path, chunked=chunked)
            for path, chunked in product(PATHS, (False, True))
        ]
        while not all(flood.done() for flood in floods):
            seen.update(path.name for path in small_folder.rglob("*"))
            time.sleep(0.001)
        assert {flood.result()[:10] for flood in floods} <= {b"HTTP/1.1 4", b""}
    assert seen == set()
    answers = [
        requests.get(f"{instance.url}{page}", headers=HOST, allow_redirects=False, timeout=60)
        for page in PAGES
    ]
    assert {response.status_code for response in answers} <= {200, 302}
    assert instance.workers() == workers


def test_proxy_writes_no_large_upload_to_a_disk(site):
    for path in ("/api/stats/bulk", "/admin/stats/stat/import/"):
        for chunked in (False, True):
            response = upload(site.proxy.port, path, chunked=chunked)
            assert response.startswith((b"HTTP/1.1 401", b"HTTP/1.1 403")), path
    assert "buffered to a temporary file" not in site.proxy.log.read_text(encoding="utf-8")


def test_full_temporary_folder_blocks_no_user(instance, small_folder):
    try:
        with (small_folder / "fill").open("wb") as file:
            for _ in range(30):
                file.write(b"\0" * 1_000_000)
    except OSError:  # full
        pass
    try:
        for page in PAGES * 3:
            address = f"{instance.url}{page}"
            response = requests.get(address, headers=HOST, allow_redirects=False, timeout=60)
            assert response.status_code in (200, 302), page
    finally:
        (small_folder / "fill").unlink()
    assert "SIGBUS" not in instance.log.read_text(encoding="utf-8", errors="replace")


def test_body_without_a_length_is_stored(site):
    instance = site.instances[0]
    headers = {**HOST, "Content-Type": "application/json"}
    headers["Authorization"] = f"Bearer {site.pool.tokens_for('grace')['access_token']}"
    figures = f"{instance.url}/api/stats"

    def send(method, url, text):
        return requests.request(method, url, data=iter([text.encode()]), headers=headers)

    created = send("POST", figures, '{"kpi": "chunked", "year": 2020, "month": 1, "value": 1}')
    assert created.status_code == 201
    figure = f"{figures}/{created.json()['id']}"
    assert send("PATCH", figure, '{"value": 99}').json()["value"] == 99
    lines = ", ".join(
        f'{{"kpi": "chunked", "year": {n}, "month": 2, "value": 1}}' for n in range(2000, 2100)
    )
    bulk = send("POST", f"{figures}/bulk", f'{{"data": [{lines}]}}{" " * 2_000_000}')
    assert (bulk.status_code, bulk.json()["created"]) == (200, 100)
    large = send("POST", f"{figures}/bulk", '{"data": []}' + " " * 13_000_000)
    assert (large.status_code, large.json()["code"]) == (413, "too_large")
    compressed = requests.patch(
        figure, b"\x1f\x8b", headers={**headers, "Content-Encoding": "gzip"}
    )
    assert (compressed.status_code, compressed.json()["code"]) == (415, "unsupported_encoding")
    assert requests.get(figure, headers=headers).json()["value"] == 99


def test_staff_import_a_file_through_the_proxy(site):
    browser = Browser(site, "ada")
    page = browser.get("/admin/stats/stat/import/")
    token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    lines = "".join(f"{'語' * 58} {number}{' ' * 2_000},2020,1,1\n" for number in range(600))
    content = f"kpi,year,month,value\n{lines}".encode()
    assert len(content) > 1024 * 1024  # more than the limit of other requests
    response = browser.http.post(
        f"{site.url}/admin/stats/stat/import/",
        {"csrfmiddlewaretoken": token, "format": "0"},
        files={"import_file": ("a.csv", content)},
        timeout=60,
    )
    assert response.status_code == 200
    assert "Nothing has been imported yet" in response.text


def test_long_content_type_costs_what_a_short_one_does(site):
    def fastest(value):
        times = []
        for _ in range(20):
            headers = {**HOST, "Content-Type": value}
            response = requests.get(f"{site.instances[0].url}/healthz", headers=headers)
            times.append(response.elapsed.total_seconds())
            assert response.status_code == (431 if len(value) > 1024 else 200)
        return min(times)

    assert fastest('a/b;q="' + ";" * 30_000) < 10 * fastest("a/b;q=1")
