"""What you import in *your* tests: signed tokens, signed-in clients, no pool and no network.

    pytest_plugins = ["accounts.testing"]  # in the conftest.py at the top

    def test_report_is_for_admins(cognito_client):
        assert cognito_client("ada", groups=["admins"]).get("/report/").status_code == 200
        assert cognito_client("linus").get("/report/").status_code == 403

Under unittest use `fake_cognito()` around the test and `signed_in("ada")` inside it. Nothing but
tests may import this package.
"""

from contextlib import suppress

from .clients import CognitoClient, calling_machine, signed_in
from .fake import FakeCognito, fake_cognito
from .tokens import mint_access_token, mint_id_token, mint_machine_token, subject_of

with suppress(ModuleNotFoundError):  # unittest does without pytest
    from .pytest_plugin import (  # pytest finds the fixtures here
        CognitoClientFactory,
        cognito,
        cognito_client,
    )

__all__ = [
    "CognitoClient",
    "CognitoClientFactory",
    "FakeCognito",
    "calling_machine",
    "cognito",
    "cognito_client",
    "fake_cognito",
    "mint_access_token",
    "mint_id_token",
    "mint_machine_token",
    "signed_in",
    "subject_of",
]
