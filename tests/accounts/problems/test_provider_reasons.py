import pytest

from accounts.cognito.errors import ProviderRefused
from accounts.problems.catalog import may_start_again, problem_for
from accounts.problems.provider_reasons import MAX_WORDS_LENGTH, Kind, reason_for

# The texts that AWS documents, and those that users of Cognito reported.
DESCRIPTIONS = [
    ("Already found an entry for username Google_117000000000000000001", Kind.TRY_AGAIN),
    ("Already found an entry for username zPW8WMWZaBQLkE9J/Ds0K0pgQTM/g=", Kind.TRY_AGAIN),
    ("PreSignUp failed with error Sign up with your company address please.", Kind.RULE),
    ("PreAuthentication failed with error Not during the lambda review.", Kind.RULE),
    ("PostConfirmation failed with error no seats left", Kind.RULE),
    ("User is not enabled", Kind.USER),
    ("invalid_scope", Kind.OPERATOR),
    ("user.email: Attribute cannot be updated.", Kind.OPERATOR),
    ("attributes required: [email]", Kind.OPERATOR),
    (
        "Invalid SAML response received: Invalid user attributes: email: The attribute is required",
        Kind.OPERATOR,
    ),
    ("Error in SAML response processing: Audience restriction was not met", Kind.OPERATOR),
    ("Invalid samlResponse or relayState from identity provider", Kind.OPERATOR),
    ("Timeout occurred in calling IdP token endpoint", Kind.OPERATOR),
    (
        "LoginWithAmazon Error - 400 invalid_request The request is missing : client_secret",
        Kind.OPERATOR,
    ),
    ("Bad id_token issuer", Kind.OPERATOR),
    ("Login option is not available. Please try another one", Kind.OPERATOR),
    ("Unrecognizable lambda output", Kind.OPERATOR),
    ("PreSignUp invocation failed due to error AccessDeniedException.", Kind.OPERATOR),
    ("Exceeded the maximum number of linked identities", Kind.OPERATOR),
    ("something that was never seen", Kind.UNKNOWN),
    ("", Kind.UNKNOWN),
]


@pytest.mark.parametrize(("description", "kind"), DESCRIPTIONS)
def test_description_says_who_can_do_something(description, kind):
    assert reason_for("invalid_request", description).kind is kind
    error = ProviderRefused("no", error="invalid_request", description=description)
    problem = problem_for(error)
    assert may_start_again(error) == (kind is Kind.TRY_AGAIN)
    is_ours = kind is Kind.OPERATOR
    assert (problem.status == 503, bool(problem.setting_names)) == (is_ours, is_ours)
    assert (problem.status == 403) == (kind is Kind.RULE)
    assert not description or description not in problem.sentence + problem.why


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("access_denied", Kind.USER),
        ("server_error", Kind.USER),
        ("unauthorized_client", Kind.OPERATOR),
        ("invalid_scope", Kind.OPERATOR),
        ("something_new", Kind.UNKNOWN),
    ],
)
def test_code_counts_without_a_known_description(error, kind):
    assert reason_for(error, "").kind is kind


def test_words_of_a_trigger_are_shortened():
    words = reason_for("x", f"PreSignUp failed with error {'word ' * 500}").words
    assert len(words) == MAX_WORDS_LENGTH
    assert words.endswith("…")
