"""COGNITO_RESOURCES, COGNITO_UNLISTED_CLIENT_SCOPES and COGNITO_ACTORS."""

import pytest
from django.core.checks import run_checks

from accounts.cognito.errors import ConfigurationError
from accounts.provider.client_rights import ClientRights, parse_client_rights
from accounts.provider.settings import read_access_rules, read_config


@pytest.fixture
def use(settings):
    def use(**members):
        settings.COGNITO = {**settings.COGNITO, "PUBLIC_URL": "https://app.example.com", **members}

    return use


def test_the_site_itself_is_the_only_default(use):
    use()
    rules = read_access_rules()
    assert rules.resources == ("https://app.example.com",)
    assert (rules.unlisted_scopes, rules.actors) == (frozenset(), frozenset())


def test_further_resources_come_after_the_site(use):
    use(RESOURCES=["https://app.example.com/mcp", "https://app.example.com", "figures"])
    assert read_access_rules().resources == (
        "https://app.example.com",
        "https://app.example.com/mcp",
        "figures",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RESOURCES", "https://app.example.com"),
        ("RESOURCES", [""]),
        ("RESOURCES", ["http://api.example.com"]),
        ("RESOURCES", ["https://api.example.com/#x"]),
        ("UNLISTED_CLIENT_SCOPES", ["openid"]),
        ("UNLISTED_CLIENT_SCOPES", ["reports/read", "email"]),
        ("UNLISTED_CLIENT_SCOPES", ["aws.cognito.signin.user.admin"]),
        ("UNLISTED_CLIENT_SCOPES", ["aws.cognito/dcr/register"]),
        ("UNLISTED_CLIENT_SCOPES", ["reports/read write"]),
        ("UNLISTED_CLIENT_SCOPES", [""]),
        ("ACTORS", [""]),
        ("ACTORS", [7]),
    ],
)
def test_wrong_value_is_named_and_stops_the_server(use, name, value):
    use(**{name: value})
    with pytest.raises(ConfigurationError) as refused:
        read_access_rules()
    assert list(refused.value.problems) == [f"COGNITO_{name}"]
    assert any(f"COGNITO_{name} " in m.msg for m in run_checks(tags=["configuration"]))


@pytest.mark.parametrize(
    ("client", "accepted"),
    [
        ("https://agent.example.com/client.json", True),
        ("https://agent.example.com", True),
        ("http://agent.example.com/client.json", False),
        ("https://user@agent.example.com/client.json", False),
        ("https://agent.example.com/client.json#x", False),
        ("https://", False),
        ("agent.example.com", False),
    ],
)
def test_url_of_a_client_metadata_document_is_a_client_id(use, client, accepted):
    use(ACCEPTED_CLIENTS=[client])
    if accepted:
        assert client in read_config().accepted_clients
    else:
        with pytest.raises(ConfigurationError, match="COGNITO_ACCEPTED_CLIENTS"):
            read_config()


def test_unlisted_clients_can_have_write_rights_at_most():
    for level in ("read", "write"):
        assert parse_client_rights({"*": level}, own_client="own") == {"*": ClientRights(level)}
    with pytest.raises(ValueError, match="anyone can register"):
        parse_client_rights({"*": "staff"}, own_client="own")


def test_rights_of_unlisted_clients_without_such_clients_are_reported(use):
    use(CLIENT_RIGHTS={"*": "write", "https://agent.example.com/c.json": "read"})
    assert [m.id for m in run_checks(tags=["configuration"])] == ["accounts.W005"] * 2
    use(
        CLIENT_RIGHTS={"*": "write", "https://agent.example.com/c.json": "read"},
        UNLISTED_CLIENT_SCOPES=["reports/read"],
    )
    assert run_checks(tags=["configuration"]) == []
