import io

import pytest
from django.contrib.messages import get_messages
from django.core.management import call_command
from django.urls import reverse

from accounts.models import PendingRevocation, SignIn, User
from accounts.sessions import sign_out
from accounts.testing import signed_in

pytestmark = pytest.mark.django_db

FOR_OPERATORS = (
    "Cognito didn't respond. `manage.py cognito_housekeeping` will revoke the remaining refresh"
    " tokens."
)
FOR_USERS = "Cognito didn't respond. We'll keep trying to revoke your session at Cognito."


@pytest.fixture
def sign_in(cognito):
    signed_in("ada", cognito=cognito)
    return SignIn.objects.get()


@pytest.fixture
def unrevoked_sign_in(cognito, sign_in):
    cognito.down = True
    yield sign_in
    assert PendingRevocation.objects.count() == 1


def messages_of(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_user_is_informed_that_a_session_is_not_yet_revoked(cognito, sign_in):
    client = signed_in("ada", cognito=cognito)
    cognito.down = True
    response = client.post(reverse("accounts:end_session", args=[sign_in.pk]))
    assert messages_of(response) == [f"Ended here: Unknown device. {FOR_USERS}"]


def test_signed_out_page_shows_the_same_message(client):
    assert sign_out.UNREACHED_FOR_USERS == FOR_USERS
    page = client.get(reverse("accounts:signed_out"), {"unreached": "1"})
    assert page.context["unreached"] == FOR_USERS
    assert client.get(reverse("accounts:signed_out")).context["unreached"] == ""


def test_command_informs_operators_of_remaining_revocations(unrevoked_sign_in):
    output = io.StringIO()
    call_command("cognito_sign_out_user", "ada", stdout=output)
    assert FOR_OPERATORS in output.getvalue()


def test_admin_informs_operators_of_remaining_revocations(unrevoked_sign_in, client):
    client.force_login(User.objects.create_superuser("operator"))
    response = client.post(
        reverse("admin:accounts_user_changelist"),
        {"action": "sign_out_everywhere", "_selected_action": [unrevoked_sign_in.user_id]},
    )
    assert messages_of(response)[-1] == FOR_OPERATORS
