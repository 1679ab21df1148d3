"""The tree is drawn where it is defined; the drawing is true."""

import re

from accounts.cognito import errors


def classes(base=errors.CognitoError, depth=0):
    if base.__module__ == errors.__name__:
        yield base, depth
    for child in base.__subclasses__():
        yield from classes(child, depth + 1)


def test_the_drawing_shows_every_class_at_its_place():
    drawn = re.findall(r"^    ( *)([A-Z]\w+)", errors.__doc__, flags=re.MULTILINE)
    assert [(name, len(indent) // 2) for indent, name in drawn] == [
        (kind.__name__, depth) for kind, depth in classes()
    ]


def test_every_class_has_a_code_of_its_own():
    codes = [kind.__dict__["code"] for kind, _ in classes()]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z_]+", code) for code in codes)


def test_message_and_data_are_kept():
    error = errors.TokenRevoked("signed out", origin_jti="abc")
    assert (str(error), error.message, error.data) == (
        "signed out",
        "signed out",
        {"origin_jti": "abc"},
    )
    assert errors.CognitoUnavailable("down", retry_after=3).data == {"retry_after": 3}
    assert errors.CognitoUnavailable("down").retry_after is None
