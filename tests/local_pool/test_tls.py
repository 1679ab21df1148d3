"""HTTPS with the pool's own certificate, and a domain on another host than the issuer."""

import subprocess
import sys

import pytest
import requests

from local_pool.testing import LocalPool

from .conftest import CALLBACK, App


@pytest.fixture
def app(make_local_pool) -> App:
    return App(make_local_pool(tls=True))


def test_user_signs_in_over_https(app, monkeypatch):
    assert app.pool.url.startswith("https://localhost:")
    browser = requests.Session()
    callback = app.pool.sign_in(app.authorize_url(), "ada", session=browser)
    assert callback.startswith(f"{CALLBACK}?code=")
    assert {cookie.name for cookie in browser.cookies if cookie.secure} >= {"cognito", "XSRF-TOKEN"}
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(app.pool.certificate))
    code = callback.partition("code=")[2].partition("&")[0]
    tokens = app.redeem(code).json()
    assert app.user_info(tokens["access_token"]).status_code == 200
    discovery = requests.get(f"{app.pool.issuer}/.well-known/openid-configuration", timeout=60)
    assert discovery.json()["jwks_uri"].startswith("https://")


def test_certificate_is_kept_and_not_trusted_by_default(app):
    first = app.pool.certificate.read_bytes()
    app.pool.restart()
    assert app.pool.certificate.read_bytes() == first
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(app.pool.url, timeout=60)
    assert app.pool.certificate.with_name("tls-key.pem").stat().st_mode & 0o077 == 0


def test_plain_http_gets_no_answer_and_the_pool_survives(app):
    plain = app.pool.url.replace("https", "http")
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(plain, timeout=60)
    trusted = str(app.pool.certificate)
    console = requests.get(f"{app.pool.url}/_local/", verify=trusted, timeout=60)
    assert console.status_code == 200


def test_command_line_talks_to_a_pool_with_https(clean_environ):
    with LocalPool(tls=True) as pool:
        environ = clean_environ | {
            "POOL_TLS": "1",
            "POOL_PORT": str(pool.config.port),
            "LOCAL_POOL_DIR": str(pool.folder),
        }
        command = [sys.executable, "-m", "local_pool", "do", "disable", "ada"]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr) == ("ada is disabled\n", "")
        assert not pool.get_user("ada").enabled


def test_domain_is_on_another_host_than_the_issuer(make_local_pool):
    app = App(make_local_pool(domain_host="127.0.0.1"))
    assert app.pool.url == app.pool.issuer.rpartition("/")[0].replace("localhost", "127.0.0.1")
    discovery = requests.get(f"{app.pool.issuer}/.well-known/openid-configuration", timeout=60)
    found = discovery.json()
    assert found["issuer"] == app.pool.issuer
    assert found["jwks_uri"].startswith(app.pool.issuer)
    assert found["token_endpoint"] == f"{app.pool.url}/oauth2/token"
    browser = requests.Session()
    tokens = app.redeem(app.code(session=browser)).json()
    assert app.user_info(tokens["access_token"]).status_code == 200
    assert {cookie.domain for cookie in browser.cookies} == {"127.0.0.1"}
