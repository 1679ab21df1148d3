"""Signing people out from the admin, and what it shows of sign-ins."""

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
def row():
    user = User.objects.create_user("person-1")
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
def test_operator_signs_a_person_out_everywhere(operator, row, model):
    pk = row.user_id if model == "user" else Identity.objects.get().pk
    answer = act(operator, model, "sign_out_everywhere", pk)
    said = [str(message) for message in get_messages(answer.wsgi_request)]
    assert said == ["1 signed out everywhere: sessions ended: 1."]
    row.refresh_from_db()
    assert (row.end_reason, row.sealed_tokens) == ("everywhere", "")
    assert {one.kind for one in Revocation.objects.all()} == {"user", "sign_in"}
    everywhere = SignInEvent.objects.get(kind="signed_out_everywhere")
    assert (everywhere.user, everywhere.details["by"]) == (row.user, "operator")


def test_operator_ends_one_sign_in(operator, row):
    act(operator, "signin", "end_sign_ins", row.pk)
    row.refresh_from_db()
    assert row.end_reason == "by_operator"
    assert Revocation.objects.get().token_id == "origin-1"
    event = SignInEvent.objects.get(kind="signed_out")
    assert (event.user, event.reason) == (row.user, "by_operator")
    assert (event.details["by"], event.ip_address) == ("operator", "127.0.0.1")


def test_deactivating_in_the_admin_ends_everything(operator, row):
    address = reverse("admin:accounts_user_change", args=[row.user_id])
    answer = operator.post(
        address,
        {"username": "person-1", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"},
    )
    assert answer.status_code == 302
    row.refresh_from_db()
    assert row.end_reason == "deactivated"
    assert {one.kind for one in Revocation.objects.all()} == {"deactivated", "user", "sign_in"}


def test_admin_shows_no_token(operator, row):
    for address in (
        reverse("admin:accounts_signin_change", args=[row.pk]),
        reverse("admin:accounts_signin_changelist"),
        reverse("admin:accounts_signinevent_changelist"),
        reverse("admin:accounts_pendingrevocation_changelist"),
    ):
        page = operator.get(address)
        assert page.status_code == 200
        assert "not to be shown" not in page.text
        assert row.key not in page.text
