"""Sign-out of users from the admin, and the sign-in data that the admin shows."""

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from accounts.models import Identity, Revocation, SignIn, SignInEvent, User

pytestmark = pytest.mark.django_db
ISSUER = "http://localhost:1/local-1_TestPool1"


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator"))
    return client


@pytest.fixture
def sign_in():
    user = User.objects.create_user("user-1")
    Identity.objects.create(user=user, issuer=ISSUER, subject="ada-sub", username="ada")
    later = timezone.now() + timedelta(hours=1)
    return SignIn.objects.create(
        user=user,
        issuer=ISSUER,
        subject="ada-sub",
        client_id="client",
        origin_jti="origin-1",
        access_expires_at=later,
        renew_at=later,
        sealed_tokens="not to be shown",
    )


def act(client, model, action, pk):
    return client.post(
        reverse(f"admin:accounts_{model}_changelist"),
        {"action": action, "_selected_action": [pk]},
    )


@pytest.mark.parametrize("model", ["user", "identity"])
def test_operator_signs_a_user_out_everywhere(operator, sign_in, model):
    pk = sign_in.user_id if model == "user" else Identity.objects.get().pk
    response = act(operator, model, "sign_out_everywhere", pk)
    texts = [str(message) for message in get_messages(response.wsgi_request)]
    assert texts == ["Signed out everywhere: 1. Sessions ended: 1."]
    sign_in.refresh_from_db()
    assert (sign_in.end_reason, sign_in.sealed_tokens) == ("everywhere", "")
    assert {revocation.kind for revocation in Revocation.objects.all()} == {"user", "sign_in"}
    everywhere = SignInEvent.objects.get(kind="signed_out_everywhere")
    assert (everywhere.user, everywhere.details["by"]) == (sign_in.user, "operator")


def test_operator_ends_one_sign_in(operator, sign_in):
    act(operator, "signin", "end_sign_ins", sign_in.pk)
    sign_in.refresh_from_db()
    assert sign_in.end_reason == "by_operator"
    assert Revocation.objects.get().token_id == "origin-1"
    event = SignInEvent.objects.get(kind="signed_out")
    assert (event.user, event.reason) == (sign_in.user, "by_operator")
    assert (event.details["by"], event.ip_address) == ("operator", "127.0.0.1")


def test_deactivation_in_the_admin_ends_all_sign_ins(operator, sign_in):
    response = operator.post(
        reverse("admin:accounts_user_change", args=[sign_in.user_id]),
        {"username": "user-1", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"},
    )
    assert response.status_code == 302
    sign_in.refresh_from_db()
    assert sign_in.end_reason == "deactivated"
    assert {revocation.kind for revocation in Revocation.objects.all()} == {
        "deactivated",
        "user",
        "sign_in",
    }


def test_admin_shows_no_token(operator, sign_in):
    for url in (
        reverse("admin:accounts_signin_change", args=[sign_in.pk]),
        reverse("admin:accounts_signin_changelist"),
        reverse("admin:accounts_signinevent_changelist"),
        reverse("admin:accounts_pendingrevocation_changelist"),
    ):
        page = operator.get(url)
        assert page.status_code == 200
        assert "not to be shown" not in page.text
        assert sign_in.key not in page.text
