import json
import logging

import pytest

from accounts.cognito import errors
from accounts.problems import catalog


def leaves(kind):
    children = kind.__subclasses__()
    return [leaf for child in children for leaf in leaves(child)] if children else [kind]


@pytest.mark.parametrize("leaf", leaves(errors.CognitoError), ids=lambda leaf: leaf.__name__)
def test_every_leaf_of_the_error_tree_has_a_message(leaf):
    problem = catalog.problem_for(leaf.__new__(leaf))
    assert problem.title
    assert problem.what.endswith(".")
    assert problem.next_step.endswith(".")
    assert problem.status in (400, 401, 403, 429, 503)
    assert (
        leaf is errors.ConfigurationError or problem is not catalog.PROBLEMS[errors.CognitoError]
    ), "neither this leaf nor an ancestor has an entry"


def test_configuration_errors_are_logged_as_errors_and_name_the_settings():
    for kind in (errors.ClientRejected, errors.RequestRejected, errors.ConfigurationError):
        problem = catalog.problem_for(kind.__new__(kind))
        assert problem.level == logging.ERROR
        assert problem.setting_names
        assert problem.status == 503


@pytest.mark.parametrize("leaf", leaves(errors.CognitoError), ids=lambda leaf: leaf.__name__)
def test_try_again_is_said_only_where_it_can_help(leaf):
    error = leaf.__new__(leaf)
    error.retry_after = None
    problem = catalog.problem_for(error)
    words = f"{problem.title} {problem.what} {problem.next_step} {problem.action_label}".lower()
    if isinstance(error, errors.CognitoUnavailable):
        assert "try again" in words
        assert catalog.retry_after(error) == catalog.RETRY_AFTER
    else:
        assert "try again" not in words
        assert catalog.retry_after(error) is None
    assert bool(problem.action_label) == (problem.level != logging.ERROR or "try again" in words)


def test_messages_have_no_exclamation_mark_and_no_oops():
    for problem in catalog.PROBLEMS.values():
        words = " ".join((problem.title, problem.what, problem.why, problem.next_step))
        assert "!" not in words
        assert "oops" not in words.lower()


def test_error_body_repeats_its_detail_for_the_original_ui():
    body = catalog.error_body("The token expired.", "token_expired")
    assert json.dumps(body) == (
        '{"detail": "The token expired.", "code": "token_expired", "error": "The token expired."}'
    )


def test_sentence_has_what_happened_and_what_to_do():
    problem = catalog.PROBLEMS[errors.CognitoUnavailable]
    assert problem.sentence == (
        "The sign-in service does not respond, so we could not check your sign-in. "
        "Nothing was changed. Try again."
    )


def refused(error, description=""):
    return errors.ProviderRefused("refused", error=error, description=description)


@pytest.mark.parametrize(
    ("error", "description", "why", "next_step", "status"),
    [
        ("access_denied", "<b>Click here</b>", "canceled", "Start again", 400),
        ("invalid_request", "User is not enabled", "disabled", "Ask an admin", 400),
        ("temporarily_unavailable", "", "overloaded", "Start again", 400),
        ("invalid_scope", "", "scope", "operators must correct", 503),
        ("invalid_request", "invalid_scope", "scope", "operators must correct", 503),
        ("unauthorized_client", "", "refuses this site", "operators must correct", 503),
        ("new_code", "free text", "no known reason", "Start again", 400),
    ],
)
def test_provider_problem_says_what_helps(error, description, why, next_step, status):
    problem = catalog.problem_for(refused(error, description))
    assert why in problem.why
    assert next_step in problem.next_step
    assert problem.status == status
    assert problem.code == "provider_refused"
    assert description not in problem.why or not description


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [(None, catalog.RETRY_AFTER), (0.0, 5), (0.3, 1), (1.6, 2), (60, 60)],
)
def test_retry_after_is_at_least_one_second(retry_after, seconds):
    """With 0 seconds, the script of the page would reload it in a loop."""
    error = errors.CognitoUnavailable("down", retry_after=retry_after)
    assert catalog.retry_after(error) == seconds
