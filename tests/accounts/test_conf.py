import pytest

from accounts import conf
from accounts.cognito.errors import ConfigurationError
from accounts.provider.members import MEMBERS, read_members

NOT_READ = {"LIMITS", "SHARED_CACHE", "FROZEN_BETWEEN_REQUESTS"}


def test_every_member_has_one_variable():
    names = (*conf.TEXTS, *conf.LISTS, *conf.OBJECTS, *conf.FLAGS)
    assert len(names) == len(set(names))
    assert set(names) == MEMBERS.keys() - NOT_READ


@pytest.mark.parametrize("names", [conf.TEXTS, conf.LISTS, conf.OBJECTS, conf.FLAGS])
def test_values_have_the_type_of_their_member(monkeypatch, settings, names):
    url = "https://a.example"
    raw = {conf.OBJECTS: '{"a": "b"}', conf.FLAGS: "0", conf.LISTS: " a, b "}.get(names, url)
    for name in names:
        prefix = "" if name in conf.WITHOUT_PREFIX else "COGNITO_"
        monkeypatch.setenv(f"{prefix}{name}", raw)
    settings.COGNITO = conf.from_environment()
    value = {conf.OBJECTS: {"a": "b"}, conf.FLAGS: False, conf.LISTS: ["a", "b"]}.get(names, url)
    assert {name: settings.COGNITO[name] for name in names} == dict.fromkeys(names, value)
    assert read_members(*names)


@pytest.mark.parametrize(
    ("name", "raw"), [("GROUPS", "{"), ("GROUPS", "[]"), ("CREATE_PEOPLE", "maybe")]
)
def test_malformed_value_is_found_by_the_system_check(monkeypatch, settings, name, raw):
    monkeypatch.setenv(f"COGNITO_{name}", raw)
    settings.COGNITO = conf.from_environment()
    with pytest.raises(ConfigurationError) as caught:
        read_members(name)
    assert list(caught.value.problems) == [f"COGNITO_{name}"]


def test_environment_precedes_the_file_and_the_code_precedes_both(monkeypatch, tmp_path):
    file = tmp_path / ".env"
    monkeypatch.delenv("COGNITO_POOL_ID", raising=False)
    file.write_text("COGNITO_POOL_ID=of-file\nCOGNITO_CLIENT_ID=of-file\nPUBLIC_URL=of-file\n")
    monkeypatch.setenv("COGNITO_CLIENT_ID", "of-environment")
    monkeypatch.setenv("PUBLIC_URL", "of-environment")
    values = conf.from_environment(file, PUBLIC_URL="of-code", LIMITS={"session_idle": 60})
    assert (values["POOL_ID"], values["CLIENT_ID"]) == ("of-file", "of-environment")
    assert (values["PUBLIC_URL"], values["LIMITS"]) == ("of-code", {"session_idle": 60})


def test_missing_file_and_empty_variables_set_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("COGNITO_SCOPES", " ")
    assert "SCOPES" not in conf.from_environment(tmp_path / "absent")
