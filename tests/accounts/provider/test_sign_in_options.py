"""COGNITO_IDENTITY_PROVIDERS, COGNITO_ACR_VALUES and COGNITO_ADMIN_STEP_UP."""

import pytest

from accounts.cognito.errors import ConfigurationError
from accounts.cognito.step_up import SignInRequirement
from accounts.provider.sign_in_options import ACR_VALUES, parse_sign_in_options


def parse(*, providers=(), acr_values=(), admin_step_up=None):
    return parse_sign_in_options(
        providers=providers, acr_values=acr_values, admin_step_up=admin_step_up or {}
    )


def test_providers_have_names_and_labels():
    options = parse(providers=["Google=Google", "Okta=Company account"])
    assert options.identity_providers == {"Google": "Google", "Okta": "Company account"}


def test_level_includes_the_higher_ones():
    assert parse().require(acr=ACR_VALUES[2]) == SignInRequirement(None, ACR_VALUES[2:])


def test_admin_requires_a_recent_sign_in():
    options = parse(admin_step_up={"max_age": 600})
    assert options.admin_step_up == SignInRequirement(600)


def test_level_of_a_view_that_the_pool_does_not_have_is_an_error():
    with pytest.raises(ConfigurationError, match="COGNITO_ACR_VALUES"):
        parse().require(acr="gold")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("COGNITO_IDENTITY_PROVIDERS", {"providers": ["Google"]}),
        ("COGNITO_IDENTITY_PROVIDERS", {"providers": ["Google="]}),
        ("COGNITO_IDENTITY_PROVIDERS", {"providers": ["=Google"]}),
        ("COGNITO_IDENTITY_PROVIDERS", {"providers": ["a b=x"]}),
        ("COGNITO_IDENTITY_PROVIDERS", {"providers": ["A=x", "A=y"]}),
        ("COGNITO_IDENTITY_PROVIDERS", {"providers": ["A=x\ny"]}),
        ("COGNITO_ACR_VALUES", {"acr_values": ["one"]}),
        ("COGNITO_ACR_VALUES", {"acr_values": ["a", "b", "c", "a"]}),
        ("COGNITO_ADMIN_STEP_UP", {"admin_step_up": {"max_age": 0}}),
        ("COGNITO_ADMIN_STEP_UP", {"admin_step_up": {"max_age": True}}),
        ("COGNITO_ADMIN_STEP_UP", {"admin_step_up": {"age": 60}}),
        ("COGNITO_ADMIN_STEP_UP", {"admin_step_up": {"acr": "gold"}}),
        ("COGNITO_ADMIN_STEP_UP", {"admin_step_up": {"max_age": None}}),
    ],
)
def test_wrong_value_is_named(name, values):
    with pytest.raises(ConfigurationError) as refused:
        parse(**values)
    assert [*refused.value.problems] == [name]
