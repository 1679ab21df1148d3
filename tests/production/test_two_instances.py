"""Two instances behind one proxy: shared state, and recovery from failures."""

import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from urllib3.exceptions import ProtocolError

from tools.rehearsal.instances import Instance
from tools.rehearsal.services import until

# Use one worker of pytest-xdist, because each one would start its own setup.
pytestmark = pytest.mark.xdist_group("production")

HOST = {"Host": "localhost"}


class Browser:
    """A browser that signed in through the proxy, and can also use an instance directly."""

    def __init__(self, site, username="ada"):
        self.site, self.http = site, requests.Session()
        start = self.get("/accounts/login/?next=/profile/")
        callback = site.pool.sign_in(start.headers["Location"], username, session=self.http)
        self.http.get(callback, allow_redirects=False, timeout=60)

    def get(self, path, base=None, **options):
        address = (base or self.site.url) + path
        headers = {**HOST, **options.pop("headers", {})} if base else options.pop("headers", {})
        return self.http.get(address, headers=headers, allow_redirects=False, timeout=60, **options)

    def post(self, path):
        self.get("/profile/")
        fields = {"csrfmiddlewaretoken": self.http.cookies["csrftoken"]}
        return self.http.post(self.site.url + path, fields, allow_redirects=False, timeout=60)


def everywhere(browser, path="/profile/"):
    """Return the statuses of both instances with this browser's cookies."""
    cookies = browser.http.cookies.get_dict()
    return [
        requests.get(
            f"{instance.url}{path}", headers=HOST, cookies=cookies, allow_redirects=False
        ).status_code
        for instance in browser.site.instances
    ]


def with_token(site, access_token):
    headers = {**HOST, "Authorization": f"Bearer {access_token}"}
    return {
        requests.get(f"{instance.url}/api/user", headers=headers).status_code
        for instance in site.instances
        for _ in range(6)  # enough to reach each of its processes
    }


def test_session_and_its_end_take_effect_on_both(site):
    browser = Browser(site)
    assert everywhere(browser) == [200, 200]
    before = browser.http.cookies.get_dict()
    assert browser.post("/accounts/logout/").status_code == 302
    browser.http.cookies.update(before)
    assert everywhere(browser) == [302, 302]


def test_signed_out_token_is_refused_by_every_process(site):
    browser = Browser(site)
    access_token = site.pool.tokens_for("ada")["access_token"]
    assert with_token(site, access_token) == {200}
    assert browser.post("/profile/sign-out-everywhere/").status_code == 302
    until(lambda: with_token(site, access_token) == {401}, "the refusal")


def test_static_files_are_immutable_and_compressed(site):
    page = requests.get(site.url + "/", timeout=60).text
    address = page.split('rel="stylesheet" href="', 1)[1].split('"', 1)[0]
    response = requests.get(site.url + address, headers={"Accept-Encoding": "gzip"}, timeout=60)
    assert response.status_code == 200
    assert response.headers["Content-Encoding"] == "gzip"
    assert "immutable" in response.headers["Cache-Control"]


def test_only_the_proxy_can_set_the_client_ip_address(site):
    output = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    response = requests.get(site.instances[0].url + "/readyz", headers=output, timeout=60)
    assert "parts" not in response.json()
    assert requests.get(site.url + "/metrics", timeout=60).status_code == 404
    spoofed = {"X-Forwarded-For": "10.9.9.9", "X-Request-ID": "forged-by-a-client"}
    response = requests.get(site.url + "/", headers=spoofed, timeout=60)
    assert response.headers["X-Request-ID"] != "forged-by-a-client"


def test_client_cannot_set_the_path_prefix_of_the_site(site):
    """A SCRIPT_NAME from a client would change the start of callback URLs."""
    address = site.instances[0].url + "/below/accounts/login/"
    response = requests.get(address, headers={**HOST, "SCRIPT_NAME": "/below"}, timeout=60)
    assert response.status_code == 404


def test_metrics_of_one_instance_are_those_of_all_its_processes(site):
    instance = site.instances[0]
    labels = 'method="GET",status="200",view="api:server-info"'

    def counted():
        text = requests.get(f"{instance.url}/metrics", timeout=60).text
        for line in text.splitlines():
            if line.startswith(f"sso_request_seconds_count{{{labels}}}"):
                return float(line.rpartition(" ")[2])
        return 0.0

    before = counted()
    for _ in range(40):  # new connections, accepted by either process
        requests.get(f"{instance.url}/api/info/server", headers=HOST, timeout=60)
    assert counted() == before + 40
    assert counted() == before + 40


def test_missing_cache_is_slower_but_correct(site):
    browser = Browser(site, "grace")
    access_token = site.pool.tokens_for("grace")["access_token"]
    assert with_token(site, access_token) == {200}
    site.redis.end(signal.SIGKILL)
    try:
        assert everywhere(browser) == [200, 200]
        parts = requests.get(f"{site.instances[0].url}/readyz", timeout=60).json()["parts"]
        assert parts["cache"].startswith("does not respond")
        assert browser.post("/profile/sign-out-everywhere/").status_code == 302
        until(lambda: with_token(site, access_token) == {401}, "the refusal")
        for instance in site.instances:  # logged once, not for every request
            lines = instance.log.read_text().count("The shared cache does not respond")
            assert lines <= len(instance.workers())
    finally:
        site.redis.start()
    assert with_token(site, access_token) == {401}


def test_lost_database_is_503_and_heals_without_a_restart(site):
    browser = Browser(site)
    workers = [instance.workers() for instance in site.instances]
    site.database.stop()
    try:
        page = browser.get("/profile/")
        assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
        assert "This site is temporarily unavailable" in page.text
        response = browser.get("/api/stats", headers={"Accept": "application/json"})
        assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
        ready = requests.get(f"{site.instances[0].url}/readyz", timeout=60)
        assert ready.status_code == 503
        assert requests.get(f"{site.instances[0].url}/healthz", timeout=60).status_code == 200
    finally:
        site.database.start()
    assert [everywhere(browser) for _ in range(4)] == [[200, 200]] * 4
    assert workers == [instance.workers() for instance in site.instances]


def test_housekeeping_may_run_on_every_machine_at_once(site):
    site.pool.faults.add("revoke", "503")
    for username in ("ada", "grace", "linus"):
        browser = Browser(site, username)
        assert browser.post("/accounts/logout/").headers["Location"] == "/signout?unreached=1"
    site.pool.faults.clear()
    code = (
        "from accounts.models import PendingRevocation as P; from django.utils import timezone;"
        "print(P.objects.update(next_try_at=timezone.now()))"
    )
    assert site.manage("shell", "--verbosity", "0", "-c", code).strip() == "3"
    failed = []

    def run():
        try:
            site.manage("cognito_housekeeping")
        except RuntimeError as error:
            failed.append(error)

    before = site.pool.counts()["revoke"]
    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert site.pool.counts()["revoke"] - before == 3  # none revoked twice
    count_script = "from accounts.models import PendingRevocation as P; print(P.objects.count())"
    assert site.manage("shell", "--verbosity", "0", "-c", count_script).strip() == "0"


@pytest.fixture
def load(site):
    """Send requests from eight clients; stopping returns the statuses."""
    stop, statuses = threading.Event(), []
    access_token = site.pool.tokens_for("linus")["access_token"]

    headers = {"Authorization": f"Bearer {access_token}"}
    body = {"kpi": "x", "year": 2024, "month": 1, "value": "1"}

    def answered(http, method, path, *, again=True, **options):
        address, options = site.url + path, {"headers": headers, "timeout": 60, **options}
        try:
            return http.request(method, address, **options).status_code
        except requests.RequestException as error:
            # On a reload, nginx closes idle connections. The client then retries on a new one, as
            # browsers do. A request that gunicorn lost would be a 502.
            if again and isinstance(error.args[0], ProtocolError):
                return answered(http, method, path, again=False, **options)
            return type(error).__name__

    def ask():
        with requests.Session() as http:
            while not stop.wait(0.2):  # the servers have time for what the test does
                statuses.append(answered(http, "GET", "/api/user"))
                # 403: linus has no permission, but there is a response
                statuses.append(answered(http, "POST", "/api/stats", json=body))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()

    def finish():
        stop.set()
        for thread in threads:
            thread.join()
        return statuses

    until(lambda: len(statuses) > 50, "the load")
    yield finish
    finish()


def test_graceful_reload_under_load_loses_no_request(site, load):
    for instance in site.instances:
        before = instance.workers()
        instance.reload()
        assert not set(before) & set(instance.workers())
    assert set(load()) == {200, 403}


def test_reload_takes_new_settings(site):
    (site.folder / "env").write_text("SITE_NAME=Renamed while running\n")
    try:
        site.instances[0].reload()
        page = requests.get(site.instances[0].url + "/", headers=HOST, timeout=60)
        assert "Renamed while running" in page.text
    finally:
        (site.folder / "env").write_text("")
        site.instances[0].reload()


def test_reload_with_wrong_settings_changes_nothing(site):
    instance = site.instances[0]
    before = instance.workers()
    (site.folder / "env").write_text("SESSION_IDLE_SECONDS=soon\n")
    try:
        instance.send(signal.SIGHUP)
        until(lambda: "SESSION_IDLE_SECONDS must be" in instance.log.read_text(), "the refusal")
    finally:
        (site.folder / "env").write_text("")
    assert instance.workers() == before
    assert requests.get(instance.url + "/", headers=HOST, timeout=60).status_code == 200


def test_reload_on_a_database_that_is_not_ready_changes_nothing(site):
    instance = site.instances[0]
    before = instance.workers()
    site.database.stop()
    try:
        instance.send(signal.SIGHUP)
        until(lambda: "The database is not ready" in instance.log.read_text(), "the refusal")
    finally:
        site.database.start()
    assert instance.workers() == before
    until(lambda: all(instance.is_ready() for instance in site.instances), "both instances, again")


def test_error_for_a_malformed_request_shows_no_query(site):
    instance = site.instances[0]
    with socket.create_connection(("127.0.0.1", instance.port), timeout=60) as raw:
        raw.sendall(b"GET /signin?code=of-this-very-sign-in x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert raw.recv(1000).startswith(b"HTTP/1.1 400")
    until(lambda: "Invalid" in instance.log.read_text(), "gunicorn's line")
    assert "of-this-very-sign-in" not in instance.log.read_text()


def test_waiting_for_cognito_holds_no_database_connection(site):
    """Eight threads share two connections, and four of them wait for tokens."""
    changes = {**site.environment, "DATABASE_POOL_SIZE": "2", "WEB_CONCURRENCY": "1"}
    instance = site.keep(Instance(site.folder, "app-of-few", changes))
    until(instance.is_ready, "the instance with two connections")
    waiting = [Browser(site, username) for username in ("ada", "ada", "grace", "grace")]
    other = Browser(site, "linus")
    expire = (
        "from datetime import timedelta; from django.utils import timezone;"
        "from accounts.models import SignIn; past = timezone.now() - timedelta(seconds=5);"
        "theirs = SignIn.objects.live().exclude(user__email='linus@example.com');"
        "print(theirs.update(access_expires_at=past, renew_at=past))"
    )
    assert int(site.manage("shell", "--verbosity", "0", "-c", expire)) >= 4

    def page(browser):
        cookies = browser.http.cookies.get_dict()
        address = f"{instance.url}/profile/"
        return requests.get(address, headers=HOST, cookies=cookies, timeout=60).status_code

    assert page(other) == 200
    before = site.pool.counts()["token"]
    site.pool.faults.add("token", "slow", seconds=60)  # the site waits for three of them
    try:
        with ThreadPoolExecutor(4) as threads:
            renewals = [threads.submit(page, browser) for browser in waiting]
            until(lambda: site.pool.counts()["token"] >= before + 4, "four calls")
            assert page(other) == 200
            assert not any(renewal.done() for renewal in renewals)
            assert {renewal.result() for renewal in renewals} == {200}
    finally:
        site.pool.faults.clear()
        instance.end()


def test_taking_an_instance_out_and_stopping_it_under_load_loses_no_request(site, load):
    first, second = site.instances
    site.proxy.use([second.port])
    first.end()
    first.start()
    site.proxy.use([first.port, second.port])
    assert set(load()) == {200, 403}


def test_slow_cognito_leaves_threads_for_other_requests(site):
    """More requests wait for Cognito than there are threads; other requests are still served."""
    codes = []
    browsers = [requests.Session() for _ in range(40)]
    for http in browsers:
        start = http.get(f"{site.url}/accounts/login/", allow_redirects=False, timeout=60)
        codes.append(site.pool.sign_in(start.headers["Location"], "linus", session=http))
    site.pool.faults.add("token", "slow", seconds=6)
    try:
        threads = [
            threading.Thread(target=http.get, args=(code,), kwargs={"timeout": 60})
            for http, code in zip(browsers, codes, strict=True)
        ]
        for thread in threads:
            thread.start()
        # Sixteen slots; the requests without one got a 503.
        until(lambda: sum(not thread.is_alive() for thread in threads) >= 24, "the refusals")
        for _ in range(5):
            assert requests.get(f"{site.url}/api/info/server", timeout=60).status_code == 200
        assert any(thread.is_alive() for thread in threads)
    finally:
        site.pool.faults.clear()
        for thread in threads:
            thread.join()
        for http in browsers:
            http.close()
