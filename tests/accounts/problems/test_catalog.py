import json
import logging

import pytest

from accounts.cognito import errors
from accounts.problems import catalog


def leaves(kind):
    children = kind.__subclasses__()
    return [leaf for child in children for leaf in leaves(child)] if children else [kind]


@pytest.mark.parametrize("leaf", leaves(errors.CognitoError), ids=lambda leaf: leaf.__name__)
def test_every_leaf_of_the_error_tree_has_words_for_a_person(leaf):
    problem = catalog.problem_for(leaf.__new__(leaf))
    assert problem.title
    assert problem.what.endswith(".")
    assert problem.next_step.endswith(".")
    assert problem.action_label
    assert problem.status in (400, 401, 403, 429, 503)
    assert (
        leaf is errors.ConfigurationError or problem is not catalog.PROBLEMS[errors.CognitoError]
    ), "this leaf has no row and no ancestor with one"


def test_our_own_mistakes_are_errors_in_the_log_and_name_what_to_look_at():
    for kind in (errors.ClientRejected, errors.RequestRejected, errors.ConfigurationError):
        problem = catalog.problem_for(kind.__new__(kind))
        assert problem.level == logging.ERROR
        assert problem.settings
        assert problem.status == 503


def test_tone_has_no_exclamation_and_no_oops():
    for problem in catalog.PROBLEMS.values():
        words = " ".join((problem.title, problem.what, problem.why, problem.next_step))
        assert "!" not in words
        assert "oops" not in words.lower()


def test_error_body_repeats_its_detail_for_the_original_ui():
    body = catalog.error_body("The token expired.", "token_expired")
    assert json.dumps(body) == (
        '{"detail": "The token expired.", "code": "token_expired", "error": "The token expired."}'
    )


def test_sentence_says_what_happened_and_what_to_do():
    problem = catalog.PROBLEMS[errors.CognitoUnavailable]
    assert problem.sentence == (
        "It isn't answering, so you couldn't be signed in. Nothing was changed. Try again."
    )


def refused(error, description=""):
    return errors.ProviderRefused("refused", error=error, description=description)


def test_provider_reason_is_ours_and_never_its_text():
    assert "cancelled" in catalog.provider_reason(refused("access_denied", "<b>Click here</b>"))
    assert "disabled" in catalog.provider_reason(refused("invalid_request", "User is not enabled"))
    assert catalog.provider_reason(refused("new_code", "free text")) == (
        "It gave no reason that we know."
    )


@pytest.mark.parametrize(
    ("asked_for", "seconds"), [(None, catalog.RETRY_AFTER), (0.0, 5), (0.3, 1), (1.6, 2), (60, 60)]
)
def test_nobody_is_told_to_try_again_at_once(asked_for, seconds):
    """As 0 seconds would: a browser's script would ask in a circle."""
    error = errors.CognitoUnavailable("down", retry_after=asked_for)
    assert catalog.retry_after(error) == seconds
