"""docs/api.md explains every code of the API's responses."""

import re

import pytest
from rest_framework import exceptions

from accounts.api.errors import PayloadTooLarge
from accounts.cognito import errors
from accounts.problems import catalog
from accounts.problems import errors as problems_errors
from tests.imports import ROOT

DOCUMENT = (ROOT / "docs/api.md").read_text(encoding="utf-8")
TABLE = DOCUMENT.split("\n| status | code |", 1)[1].split("\n\n", 1)[0]
PAGE_ERRORS = {errors.NonceMismatch, errors.TokenRejected}


def subclasses(kind):
    """Return `kind` and all its subclasses, except those that tests define."""
    direct = [child for child in kind.__subclasses__() if not child.__module__.startswith("tests")]
    return {kind}.union(*(subclasses(child) for child in direct))


CODES = {
    *(kind.code for kind in subclasses(errors.TokenRejected) - PAGE_ERRORS),
    *(kind.code for kind in subclasses(errors.CognitoUnavailable)),
    errors.GrantRejected.code,
    errors.RequestRejected.code,
    errors.ClientRejected.code,
    errors.ConfigurationError.code,
    problems_errors.UnknownUser.code,
    problems_errors.ClaimsRefused.code,
    problems_errors.UserDeactivated.code,
    problems_errors.UserNotCreated.code,
    problems_errors.SessionEnded.code,
    problems_errors.RevocationsUnavailable.code,
    PayloadTooLarge.default_code,
    *(text.code for text in vars(catalog).values() if isinstance(text, catalog.ErrorText)),
    *(
        kind.default_code
        for kind in subclasses(exceptions.APIException)
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


def test_documented_codes_exist():
    columns = [line.split("|")[2] for line in TABLE.splitlines()[2:]]
    assert set(re.findall(r"`(\w+)`", "".join(columns))) <= CODES
