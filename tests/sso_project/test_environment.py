import warnings

import pytest

from sso_project.environment import Environment


@pytest.fixture
def read(tmp_path, monkeypatch):
    """A function that returns an Environment for the text of a `.env` file and variables."""

    def make(text="", **variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        (tmp_path / ".env").write_text(text)
        return Environment(tmp_path / ".env")

    names = (
        "A_TEXT",
        "A_FLAG",
        "A_PORT",
        "A_LIST",
        "A_NUMBER",
        "A_MAPPING",
        "A_DATABASE",
        "A_REDIS",
    )
    for name in names:
        monkeypatch.setenv(name, "")  # so that monkeypatch restores it after the test
        monkeypatch.delenv(name)
    return make


def test_variable_of_the_process_wins_over_the_file(read):
    assert read("A_TEXT=from-file", A_TEXT="from-process").text("A_TEXT") == "from-process"


def test_file_provides_variables_that_the_process_lacks(read):
    assert read("A_TEXT=from-file").text("A_TEXT") == "from-file"


def test_missing_text_is_a_problem_under_its_name(read):
    env = read()
    assert env.text("A_TEXT") == ""
    assert env.problems == {"A_TEXT": "is missing"}


def test_text_with_a_default_may_be_missing(read):
    env = read()
    assert env.text("A_TEXT", "default") == "default"
    assert env.problems == {}


def test_value_that_begins_with_a_dollar_sign_is_literal(read):
    assert read(A_TEXT="$HOME-of-secrets").text("A_TEXT") == "$HOME-of-secrets"


@pytest.mark.parametrize(
    ("raw", "value"), [("1", True), ("0", False), ("True", True), ("no", False)]
)
def test_flag_is_read(read, raw, value):
    assert read(A_FLAG=raw).flag("A_FLAG", not value) is value


@pytest.mark.parametrize(
    ("method", "name", "raw", "words"),
    [
        ("flag", "A_FLAG", "maybe", "1 or 0"),
        ("port", "A_PORT", "70000", "1 to 65535"),
        ("port", "A_PORT", "http", "1 to 65535"),
        ("number", "A_NUMBER", "-1", "0 or more"),
        ("number", "A_NUMBER", "1.5", "whole number"),
        ("mapping", "A_MAPPING", "[1]", "JSON object"),
        ("mapping", "A_MAPPING", "{", "JSON object"),
        ("database", "A_DATABASE", "not a url", "PostgreSQL or SQLite"),
        ("database", "A_DATABASE", "postgres://", "PostgreSQL or SQLite"),
        ("link", "A_LINK", "example.com/page", "https://example.com/page"),
        ("link", "A_LINK", "javascript:alert(1)", "https://example.com/page"),
        ("link", "A_LINK", "https:///page", "https://example.com/page"),
        *(
            ("redis", "A_REDIS", address, "redis://host:6379/0")
            for address in ("cache:6379", "http://cache", "redis://", "redis://:pass/word@cache")
        ),
    ],
)
def test_malformed_value_is_a_problem_and_the_default_is_used(read, method, name, raw, words):
    env = read(**{name: raw})
    default = {"database": "sqlite:///x.sqlite3", "mapping": {}}.get(method, 7)
    getattr(env, method)(*[name] if method == "redis" else [name, default])
    assert words in env.problems[name]
    assert "word" not in env.problems[name].replace("password", "")


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example.com",
        "app.example.com",
        "https://me:secret@localhost",
        "https://app.example.com/path",
        "https://localhost?x",
        "https://localhost#x",
        "https://[::1",
        "https://localhost:99999",
        "file:///etc/passwd",
        "https://local\thost",
        "https://",
    ],
)
def test_malformed_origin_is_a_problem_and_becomes_empty(read, url):
    env = read(A_TEXT=url)
    assert env.origin("A_TEXT") == ""
    assert "https://app.example.com" in env.problems["A_TEXT"]
    assert "secret" not in env.problems["A_TEXT"]


@pytest.mark.parametrize(
    "url", ["https://app.example.com", "http://localhost:8000", "http://[::1]"]
)
def test_origin_is_read_without_a_trailing_slash(read, url):
    env = read(A_TEXT=f"{url}/")
    assert env.origin("A_TEXT") == url
    assert env.problems == {}


@pytest.mark.parametrize("key", ["x", "x" * 60, "ab1" * 16, "django-insecure-" + "abcdefghij" * 5])
def test_weak_key_is_a_problem(read, key):
    env = read()
    env.require_strong_keys("KEYS", ["0123456789" * 5, key])
    assert "50 random characters" in env.problems["KEYS"]


@pytest.mark.parametrize(
    "address",
    ["redis://cache:6379/0", "rediss://:p%2Fw@cache/1", "unix:///run/valkey.sock?db=1", ""],
)
def test_redis_url_is_read(read, address):
    env = read(A_REDIS=address)
    assert env.redis("A_REDIS") == address
    assert env.problems == {}


def test_all_problems_are_collected(read):
    env = read(A_FLAG="maybe", A_PORT="x")
    env.text("A_TEXT")
    env.flag("A_FLAG", False)
    env.port("A_PORT", 1)
    assert set(env.problems) == {"A_TEXT", "A_FLAG", "A_PORT"}


def test_list_is_split_and_trimmed(read):
    assert read(A_LIST=" a, b ,,c").items("A_LIST") == ["a", "b", "c"]


def test_mapping_and_database_are_read(read):
    env = read(A_MAPPING='{"admins": "staff"}', A_DATABASE="postgres://me@db.example:5433/app")
    assert env.mapping("A_MAPPING", {}) == {"admins": "staff"}
    database = env.database("A_DATABASE", "sqlite:///x.sqlite3")
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db.example", 5433, "app")


def test_names_of_all_variables_are_collected(read):
    env = read()
    env.text("A_TEXT", "")
    env.flag("A_FLAG", True)
    assert env.names == ["A_TEXT", "A_FLAG"]


@pytest.mark.parametrize("scheme", ["postgress:", "", "http:"])
def test_misspelt_database_url_is_refused_without_showing_its_password(read, scheme):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        env = read(A_DATABASE=f"{scheme}//app:hunter2@host/name")
        env.database("A_DATABASE", "sqlite:////tmp/x")
    assert "must be the URL of a PostgreSQL or SQLite database" in env.problems["A_DATABASE"]
    assert caught == []


@pytest.mark.parametrize(
    ("raw", "path"), [("", ""), ("/v1", "/v1"), ("v1/", "/v1"), ("/a/b.c", "/a/b.c"), ("/", "/")]
)
def test_path_begins_with_a_slash_and_does_not_end_with_one(read, raw, path):
    assert read(A_PATH=raw).path("A_PATH") == path


@pytest.mark.parametrize("raw", ["https://x.example", "/a//b", "/a b", "/a?b", "/é", "/a\\b"])
def test_malformed_path_is_a_problem(read, raw):
    env = read(A_PATH=raw)
    assert env.path("A_PATH") == ""
    assert "A_PATH" in env.problems


@pytest.mark.parametrize("name", ["missing", "."])
def test_named_file_that_cannot_be_read_is_a_problem(tmp_path, name):
    env = Environment(tmp_path / name, name="ENV_FILE")
    assert env.problems == {
        "ENV_FILE": f"({tmp_path / name}) is not a file that this process can read"
    }


@pytest.mark.parametrize(
    "value", ["0.0.0.0:8000", "[::]:8000", "unix:/run/site.sock", "fd://3", "a.example:80,b:81"]
)
def test_address_to_listen_on_is_returned_as_it_is(read, value):
    env = read(A_TEXT=value)
    assert (env.bind("A_TEXT", ""), env.problems) == (value, {})


@pytest.mark.parametrize(
    "value", ["abc", "0.0.0.0:99999", "0.0.0.0:", ":8000", "http://a:80", "a:b"]
)
def test_wrong_address_to_listen_on_is_a_problem(read, value):
    env = read(A_TEXT=value)
    assert env.bind("A_TEXT", "default") == "default"
    assert list(env.problems) == ["A_TEXT"]


@pytest.mark.parametrize("url", ["oracle://x/y", "mysql://user@host/name", "nonsense://x/y"])
def test_database_that_is_not_supported_is_a_problem(read, url):
    env = read(A_DATABASE=url)
    assert env.database("A_DATABASE", "sqlite:///x")["ENGINE"] == "django.db.backends.sqlite3"
    assert list(env.problems) == ["A_DATABASE"]
