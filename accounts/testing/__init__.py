"""The test kit for your project: signed tokens and signed-in clients, without a pool or a network.

    pytest_plugins = ["accounts.testing"]  # in the conftest.py of the root folder

    def test_report_is_for_admins(cognito_client):
        assert cognito_client("ada", groups=["admins"]).get("/report/").status_code == 200
        assert cognito_client("linus").get("/report/").status_code == 403

With unittest, use `with fake_cognito() as cognito:` around the test, and
`signed_in("ada", cognito=cognito)` in it. Only tests may import this package.
"""

from contextlib import suppress

from .clients import CognitoClient, calling_machine, signed_in
from .fake import FakeCognito, fake_cognito
from .tokens import mint_access_token, mint_id_token, mint_machine_token, subject_of

with suppress(ModuleNotFoundError):  # a project that uses unittest may not have pytest
    from .pytest_plugin import (  # pytest looks for the fixtures here
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
