"""What a page can require of a sign-in."""

import pytest

from accounts.cognito.step_up import LEEWAY_SECONDS, SignInRequirement, check_requirement

NOW = 1_800_000_000
HIGH = "urn:cognito:loa:3"


@pytest.mark.parametrize(
    ("age", "acr", "max_age", "levels", "is_met"),
    [
        (0, None, 300, (), True),
        (300 + LEEWAY_SECONDS, None, 300, (), True),
        (301 + LEEWAY_SECONDS, None, 300, (), False),
        (-LEEWAY_SECONDS - 1, None, 300, (), False),
        (10**6, HIGH, None, (HIGH,), True),
        (10**6, "urn:cognito:loa:1", None, (HIGH,), False),
        (0, None, None, (HIGH,), False),
        (10**6, HIGH, 300, (HIGH,), False),
    ],
)
def test_requirement_is_met(age, acr, max_age, levels, is_met):
    requirement = SignInRequirement(max_age, levels)
    assert requirement.is_met(auth_time=NOW - age, acr=acr, now=NOW) is is_met


def test_parameters_and_back():
    requirement = SignInRequirement(300, (HIGH, "urn:cognito:loa:4"))
    assert SignInRequirement.from_parameters(requirement.parameters) == requirement


@pytest.mark.parametrize(("max_age", "acr"), [(None, ""), (0, ""), (-1, HIGH)])
def test_requirement_without_effect_is_an_error(max_age, acr):
    with pytest.raises(ValueError, match="max_age"):
        check_requirement(max_age, acr)
