"""Users sign in whatever user model and settings the host project has (docs/adopt.md)."""

import json
import subprocess
import sys

import pytest

from tests.adoption.host import LONG
from tests.adoption.projects import OVERRIDES
from tests.adoption.user_models import DEMANDING, POSSIBLE
from tests.imports import ROOT

# The host projects are processes that use DATABASE_URL.
pytestmark = [pytest.mark.xdist_group("user_models"), pytest.mark.services]

# Ada's and twin's email addresses, which are one at the pool, if they differ from the first two.
# None stands for a placeholder.
TAKEN = ["ada@example.com", None]
EMAILS = {
    "base_user_with_email": [None, None],
    "email_unique_in_any_case": [None, None],
    "nullable_email": ["ada@example.com", ""],
    "short_columns": ["ada@example.com"] * 2,
    "failing_receiver": ["", "ada@example.com"],  # ada's first call is an API call, without email
    "stubborn_save": ["ada@example.com"] * 2,
    "email_as_key": [None, "ada@example.com"],  # a key never changes
    "without_rights": ["", ""],
    "computed_unique_column": ["ada@example.com", ""],
    "failing_group_receiver": ["ada@example.com"] * 2,
    "failing_callback": ["ada@example.com"] * 2,
    "instances_with_originals": ["ada@example.com"] * 2,
    "without_password_and_email": ["", ""],
    "hidden_users_and_proxy": ["ada@example.com"] * 2,
    "number": ["", ""],
    "phone": ["ada@example.com"] * 2,
    "tenant": ["ada@example.com"] * 2,
}
EXPECTED_ERRORS = {
    "stubborn_save": "written without save()",
    "failing_group_receiver": "were written directly",
    "failing_callback": "A callback of transaction.on_commit failed",
}
# A proxy of the user model deactivates the user, and then a manager hides them.
AFTER = {"hidden_users_and_proxy": [1, 0, 0, "True", 200, "False", 401, "403"]}
NAMES = {
    "email_login": LONG[:150],
    "short_columns": LONG[:30],
    "validated_on_save": "",
    "failing_receiver": "",
    "computed_names": "ada",
}


@pytest.fixture(scope="module")
def hosts():
    done = subprocess.run(
        [sys.executable, "-m", "tests.adoption.host"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=1800,  # PostgreSQL creates the tables of thirty projects
    )
    return dict(json.loads(line) for line in done.stdout.splitlines())


@pytest.mark.parametrize("model", [*POSSIBLE, *DEMANDING, *OVERRIDES])
def test_user_signs_in_with_any_user_model_and_settings(hosts, model):
    result = hosts[model]
    assert result.pop("traceback", None) is None
    logged, emails, name = result.pop("log"), result.pop("email"), result.pop("name")
    has_rights = model != "without_rights"
    has_admin = has_rights and model != "without_admin_and_messages"
    assert result == {
        "checks": [],
        "api first": [200, None],
        "sign in": "True",
        "again": "True",
        "same email": "True",
        "without email": ["True", "True"],
        "renewal": [200, 200],
        "callbacks": True,  # in each language
        "failing view": [500, 1],  # the renewal before the failure is stored
        "profile": 200,
        "end session": 302,
        "identities": 4,
        "boss": ["True", [True, 1] if has_rights else [None, None]],
        "admin": [200] * 3 if has_admin else [],
        # Rights are revoked although the new email address is another user's.
        "boss renewal": [200, 200],
        "boss no more": [False, 0] if has_rights else [None, None],
        "link": True,
        "export": True,
        "erasure": True,
        "erased": False,
        "after": AFTER.get(model),
    }
    known = [None if email.endswith("@users.invalid") else email for email in emails]
    assert known == EMAILS.get(model, TAKEN)
    assert name == NAMES.get(model, name)
    expected = ["/broken", EXPECTED_ERRORS.get(model, "/broken")]
    errors = [line for line in logged if line.startswith("ERROR")]
    assert [line for line in errors if not any(words in line for words in expected)] == []
    if model not in EXPECTED_ERRORS:
        assert len(set(logged)) == len(logged)  # what cannot be stored is logged once


@pytest.mark.parametrize("model", ["birthday", "phone"])
def test_user_model_that_refuses_every_user_is_an_error_of_the_site(hosts, model):
    result, column = hosts[f"{model}_without_hook"], {"birthday": "date_of_birth"}.get(model, model)
    # A blank value suffices for one user without a phone, but not for two.
    assert result["checks"] == ["accounts.E007", "accounts.W006"]
    assert result["api first"] == [503, "user_not_created"]
    assert result["sign in"].endswith("response is 503")
    for start in ("ERROR people.Person refuses a new user", "ERROR"):
        assert any(line.startswith(start) and column in line for line in result["log"])
    assert any("get_user_fields()" in line for line in result["log"])
