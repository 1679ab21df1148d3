"""docs/api.md explains every code that an answer of the API can carry."""

import re

import pytest
from rest_framework import exceptions

from accounts.api.errors import TooLarge
from accounts.cognito import errors
from accounts.problems import catalog
from accounts.problems import errors as problems_errors
from tests.imports import ROOT

DOCUMENT = (ROOT / "docs/api.md").read_text(encoding="utf-8")
TABLE = DOCUMENT.split("\n| status | code |", 1)[1].split("\n\n", 1)[0]
OF_PAGES_ALONE = {errors.NonceMismatch, errors.TokenRejected}


def leaves(kind):
    """The class and all below it, without those that tests make up."""
    below = [child for child in kind.__subclasses__() if not child.__module__.startswith("tests")]
    return {kind}.union(*(leaves(child) for child in below))


CODES = {
    *(kind.code for kind in leaves(errors.TokenRejected) - OF_PAGES_ALONE),
    *(kind.code for kind in leaves(errors.CognitoUnavailable)),
    errors.GrantRejected.code,
    errors.RequestRejected.code,
    errors.ClientRejected.code,
    errors.ConfigurationError.code,
    problems_errors.UnknownUser.code,
    problems_errors.ClaimsRefused.code,
    problems_errors.UserDeactivated.code,
    problems_errors.SessionEnded.code,
    problems_errors.RevocationsUnavailable.code,
    TooLarge.default_code,
    *(text.code for text in vars(catalog).values() if isinstance(text, catalog.ErrorText)),
    *(
        kind.default_code
        for kind in leaves(exceptions.APIException)
        if kind.__module__ == "rest_framework.exceptions"
        and kind not in (exceptions.APIException, exceptions.AuthenticationFailed)
    ),
    "insufficient_scope",
    "csrf_failed",
    "redirect_uri_not_allowed",
    "precondition_failed",
    "response_too_large",
    *re.findall(
        r'Refusal\(\s*\d+,\s*"(\w+)"',
        "".join(f.read_text(encoding="utf-8") for f in (ROOT / "sso_project").glob("request_*.py")),
    ),
}


@pytest.mark.parametrize("code", sorted(CODES))
def test_code_is_explained(code):
    assert f"`{code}`" in TABLE


def test_nothing_is_explained_that_does_not_exist():
    columns = [row.split("|")[2] for row in TABLE.splitlines()[2:]]
    assert set(re.findall(r"`(\w+)`", "".join(columns))) <= CODES
