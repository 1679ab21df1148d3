"""Events and reasons in words."""

import pytest

from accounts.admin_site.cells import REASONS, event_in_words, reason_in_words
from accounts.cognito.errors import CognitoError
from accounts.models import EventKind, SignIn, SignInEvent


def codes(kind):
    return {kind.code}.union(*(codes(child) for child in kind.__subclasses__()))


def test_every_code_of_an_error_has_words():
    assert codes(CognitoError) <= set(REASONS)


def test_every_reason_for_the_end_of_a_sign_in_has_words():
    for reason in SignIn.EndReason:
        assert reason_in_words(reason.value) != reason.value


@pytest.mark.parametrize(
    ("kind", "reason", "html"),
    [
        (EventKind.SIGNED_IN, "", "Signed in"),
        (EventKind.SIGNED_OUT, "signed_out", "Signed out"),
        (
            EventKind.REFUSED,
            "throttled",
            'Refused: too many failures from this network <code class="quiet">throttled</code>',
        ),
        (EventKind.REFUSED, "<new>", "Refused: &lt;new&gt;"),
        ("a_former_kind", "", "A_former_kind"),
    ],
)
def test_event_is_told_in_words_with_its_code(kind, reason, html):
    assert event_in_words(SignInEvent(kind=kind, reason=reason)) == html
