"""The overview on the index page of the admin."""

import django
import pytest
from django.contrib.auth.models import Permission

import accounts
from accounts.audit import events
from accounts.models import User

pytestmark = pytest.mark.django_db


def test_index_page_shows_sign_ins_refusals_and_versions(admin_client, cognito_client):
    sign_in = cognito_client("grace", name="Grace H").user.sign_ins.get()
    for _ in range(2):
        events.record_event("refused", reference="7c1e09ab", reason="state_mismatch")
    page = admin_client.get("/admin/").text
    assert '<td>Grace H <span class="quiet">grace</span></td>' in page  # users can choose any name
    assert sign_in.reference in page
    assert "7c1e09ab" in page
    assert "In the last 24 hours: state_mismatch 2." in page
    assert "<td>1 of 1 users</td>" in page
    assert f"Django {django.get_version()}" in page
    assert "local-1_TestPool1" in page
    assert "Token encryption keys" in page
    assert f'<th scope="row">Version</th><td>{accounts.__version__}</td>' in page


def test_index_page_warns_while_break_glass_is_on(admin_client, settings):
    assert "Break-glass is on" not in admin_client.get("/admin/").text
    settings.BREAK_GLASS_LOGIN = True
    assert "Break-glass is on" in admin_client.get("/admin/").text


def test_number_of_fallback_keys_is_shown(admin_client, settings):
    settings.SECRET_KEY_FALLBACKS = ["an-old-key-that-signs-nothing"]
    page = admin_client.get("/admin/").text
    assert '<th scope="row">Keys in SECRET_KEY_FALLBACKS</th><td>1</td>' in page
    assert "an-old-key" not in page


def test_overview_is_hidden_from_staff_who_cannot_view_events(client, cognito_client):
    cognito_client("grace", name="Grace H")
    user = User.objects.create_user("figures-only", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_stat"))
    client.force_login(user)
    page = client.get("/admin/")
    assert page.status_code == 200
    assert "Grace H" not in page.text
    assert "Recent sign-ins" not in page.text


def test_index_page_needs_few_queries(admin_client, django_assert_max_num_queries):
    user = User.objects.create_user("user")
    for _ in range(20):
        events.record_event("signed_in", user=user)
    with django_assert_max_num_queries(12):
        admin_client.get("/admin/")
