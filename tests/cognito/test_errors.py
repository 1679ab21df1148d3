from accounts.cognito import errors


def test_message_and_data_are_kept():
    error = errors.TokenRevoked("signed out", origin_jti="abc")
    assert (str(error), error.message, error.data) == (
        "signed out",
        "signed out",
        {"origin_jti": "abc"},
    )
    assert errors.CognitoUnavailable("down", retry_after=3).data == {"retry_after": 3}
    assert errors.CognitoUnavailable("down").retry_after is None
