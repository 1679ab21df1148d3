"""Defaults for development exist only if PUBLIC_URL is a loopback URL."""

import json

import pytest

from tests.processes import run_python
from tests.sso_project.test_startup import GOOD

LOCAL = ["http://localhost:8000", "https://localhost", "http://127.0.0.1:8000", "http://[::1]:8000"]
PUBLIC = [
    "https://app.example.com",
    "https://app.example.com:8443",
    "https://localhost.example.com",
    "https://192.0.2.1",
    "https://0.0.0.0",
]
STARTS = {
    "wsgi": ["-c", "import sso_project.wsgi"],
    "asgi": ["-c", "import sso_project.asgi"],
    "lambda": ["-c", "import sso_project.lambda_handler"],
    "check": ["manage.py", "check"],
}
# Each setting that has a default for development, and its value on a public site.
DEFAULTS = {
    "DEBUG": False,
    "ALLOWED_HOSTS": ["app.example.com"],
    "SPA_COMPAT": False,
    "CORS_ALLOWED_ORIGINS": [],
    "WHITENOISE_USE_FINDERS": False,
    "WHITENOISE_AUTOREFRESH": False,
    "SECURE_SSL_REDIRECT": True,
    "LOG_FORMAT": "json",
}
COGNITO_DEFAULTS = {"TOKEN_ENCRYPTION_KEYS": [], "SPA_REDIRECT_URIS": []}


@pytest.fixture
def run(clean_environ):
    def start(arguments, **changes):
        environ = {**clean_environ, **GOOD, **changes}
        environ = {name: value for name, value in environ.items() if value is not None}
        return run_python(arguments, environ)

    return start


@pytest.fixture
def load(run):
    """A function that returns all settings, as far as JSON can represent them, and the problems."""
    code = (
        "import json, sso_project.settings as s\n"
        "names = [name for name in dir(s) if name.isupper()]\n"
        "print(json.dumps({name: getattr(s, name) for name in names}, default=str))"
    )

    def read(**changes):
        done = run(["-c", code], **changes)
        assert done.returncode == 0, done.stderr
        settings = json.loads(done.stdout)
        return settings, settings.pop("ENVIRONMENT_PROBLEMS")

    return read


@pytest.mark.parametrize("url", LOCAL)
def test_debug_is_allowed_on_this_machine(load, url):
    settings, problems = load(DEBUG="1", PUBLIC_URL=url, SECRET_KEY="x", TOKEN_ENCRYPTION_KEYS=None)
    assert problems == {}
    assert settings["DEBUG"] is True
    for name, value in DEFAULTS.items():
        assert settings[name] != value or name == "SECURE_SSL_REDIRECT", name
    for name, value in COGNITO_DEFAULTS.items():
        assert settings["COGNITO"][name] != value, name


@pytest.mark.parametrize("debug", ["0", "1"])
def test_public_url_disables_every_default_for_development(load, debug):
    settings, _ = load(DEBUG=debug, TOKEN_ENCRYPTION_KEYS=None)
    assert {name: settings[name] for name in DEFAULTS} == DEFAULTS
    assert {name: settings["COGNITO"][name] for name in COGNITO_DEFAULTS} == COGNITO_DEFAULTS


@pytest.mark.parametrize("url", PUBLIC)
def test_debug_with_a_public_url_is_refused_and_changes_nothing(load, url):
    with_debug, problems = load(DEBUG="1", PUBLIC_URL=url)
    without, _ = load(DEBUG="0", PUBLIC_URL=url)
    assert problems.keys() == {"DEBUG"}
    assert with_debug == without


@pytest.mark.parametrize("url", ["http://app.example.com", "https://me@localhost", "localhost"])
def test_malformed_url_is_refused_and_is_not_development(load, url):
    settings, problems = load(DEBUG="1", PUBLIC_URL=url)
    assert problems.keys() == {"PUBLIC_URL"}
    assert settings["DEBUG"] is False


@pytest.mark.parametrize("start", STARTS)
def test_site_does_not_start_with_debug_and_a_public_url(run, start):
    done = run(STARTS[start], DEBUG="1")
    assert done.returncode != 0
    assert "DEBUG must be 0" in done.stderr
    assert done.stderr.count("(sso_project.E001)") == 1


def test_debug_is_refused_on_lambda_without_a_public_url(run):
    function = {"AWS_LAMBDA_FUNCTION_NAME": "site", "PUBLIC_URL": None}
    done = run(STARTS["lambda"], DEBUG="1", **function)
    assert done.returncode != 0
    assert "DEBUG must be 0" in done.stderr


@pytest.mark.parametrize("name", ["SECRET_KEY", "SECRET_KEY_FALLBACKS"])
def test_weak_secret_key_is_refused_if_debug_is_refused(load, name):
    _, problems = load(DEBUG="1", **{name: "x"})
    assert problems.keys() == {"DEBUG", name}


@pytest.mark.parametrize("start", STARTS)
def test_site_does_not_start_with_a_weak_secret_key(run, start):
    done = run(STARTS[start], SECRET_KEY="x")
    assert done.returncode != 0
    assert "SECRET_KEY must have at least 50 random characters" in done.stderr
