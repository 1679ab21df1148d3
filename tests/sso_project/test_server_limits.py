"""What the server lets through must be what the application was made for."""

from accounts.cognito.verifier import LONGEST_TOKEN
from deploy import gunicorn_config


def test_longest_access_token_reaches_the_application():
    header = f"Authorization: Bearer {'x' * LONGEST_TOKEN}\r\n"
    assert gunicorn_config.limit_request_field_size >= len(header)
