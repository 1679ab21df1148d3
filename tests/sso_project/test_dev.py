"""The parts of `manage.py dev`. tests/test_run.py runs the command itself."""

import socket
import stat
from pathlib import Path

import pytest

from local_pool.errors import ConfigError
from sso_project.dev import ports
from sso_project.dev.card import Card
from sso_project.dev.environment import load_secret_key, plan


def test_secret_key_is_created_once_and_only_its_owner_can_read_it(tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    first = load_secret_key(tmp_path)
    assert len(first) >= 50
    assert load_secret_key(tmp_path) == first
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert load_secret_key(other) != first


def test_without_a_pool_id_the_local_pool_is_configured():
    development = plan({"COGNITO_POOL_ID": " ", "COGNITO_JWKS_URL": "https://elsewhere.example"})
    variables = development.variables
    assert development.pool is not None
    assert development.ports == {"PORT": 8000, "POOL_PORT": 9000}
    assert variables["COGNITO_POOL_ID"] == "local-1_DevPool01"
    assert variables["COGNITO_CLIENT_ID"] == "4localwebclient5demo6only7"
    assert variables["COGNITO_CLIENT_SECRET"] == "localDevelopmentSecretNotForProduction"
    assert variables["COGNITO_CLIENT_DOMAIN"] == "http://localhost:9000"
    assert variables["COGNITO_ISSUER"].split(",") == [
        "http://localhost:9000/local-1_DevPool01",
        "http://localhost:9000/issuer-cognito-idp/local-1_DevPool01",
        "http://localhost:9000/cognito-idp.local-replica/local-1_DevPool01",
    ]
    assert variables["COGNITO_JWKS_URL"] == ""
    assert variables["PUBLIC_URL"] == "http://localhost:8000"
    assert variables["DEBUG"] == "1"


def test_variables_that_do_not_describe_the_pool_stay():
    own = {
        "COGNITO_GROUPS": '{"editors": "writers"}',
        "COGNITO_SPA_REDIRECT_URIS": "http://localhost:5173/signin",
        "COGNITO_CLIENT_ID": "4localwebclient5demo6only7",
        "COGNITO_CLIENT_SECRET": "of another pool",
        "COGNITO_JWKS_URL": "https://elsewhere.example",
        "COGNITO_CLIENT_REGION": " ",
    }
    development = plan(own)
    assert development.variables["COGNITO_GROUPS"] == own["COGNITO_GROUPS"]
    assert development.variables["COGNITO_SPA_REDIRECT_URIS"] == own["COGNITO_SPA_REDIRECT_URIS"]
    assert development.replaced == ("COGNITO_JWKS_URL", "COGNITO_CLIENT_SECRET")


def test_card_names_replaced_variables():
    pool = plan({}).pool
    text = str(Card(1, "http://localhost:1", pool.id, pool, Path("absent"), ("COGNITO_CLIENT_ID",)))
    assert "Replaced COGNITO_CLIENT_ID (to use yours, set COGNITO_POOL_ID)" in text


def test_pool_variables_change_app_and_pool():
    development = plan({"POOL_PORT": "9100", "POOL_CLIENT_SECRET": "another", "DEBUG": "0"})
    assert development.pool.port == development.ports["POOL_PORT"] == 9100
    assert development.pool.client_secret == "another"
    assert development.variables["COGNITO_CLIENT_SECRET"] == "another"
    assert development.variables["COGNITO_CLIENT_DOMAIN"] == "http://localhost:9100"
    assert development.variables["DEBUG"] == "0"


def test_configured_pool_is_used_without_a_second_port():
    own = {"COGNITO_POOL_ID": "eu-west-1_AbCdEf123", "COGNITO_CLIENT_ID": "its", "PORT": "8100"}
    development = plan({**own, "POOL_PORT": "nonsense"})
    assert development.pool is None
    assert development.ports == {"PORT": 8100}
    assert own.items() <= development.variables.items()
    assert development.variables["PUBLIC_URL"] == "http://localhost:8100"


def test_malformed_pool_variable_is_refused():
    with pytest.raises(ConfigError, match="POOL_ID"):
        plan({"POOL_ID": "no pool id"})


@pytest.mark.parametrize("value", ["0", "65536", "-1", "8e3", "٨٠٠٠", "localhost:8000"])
def test_invalid_port_is_refused(value):
    with pytest.raises(ports.PortError, match=f"^PORT={value} is not a port"):
        ports.read_port({"PORT": value}, "PORT")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_port_is_in_use_on_either_loopback_address(host):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as other:
        assert ports.is_in_use(other.getsockname()[1])


def test_free_port_is_not_in_use():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert not ports.is_in_use(port)
    ports.require_free({"PORT": port})
