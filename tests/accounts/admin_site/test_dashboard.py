"""The admin's first page tells staff what they look for."""

import tomllib

import django
import pytest
from django.contrib.auth.models import Permission

from accounts.audit import events
from accounts.models import User
from tests.imports import ROOT

pytestmark = pytest.mark.django_db


def test_first_page_tells_who_came_who_was_refused_and_what_runs(admin_client, cognito_client):
    row = cognito_client("grace", name="Grace H").user.sign_ins.get()
    for _ in range(2):
        events.record("refused", reference="7c1e09ab", reason="state_mismatch")
    page = admin_client.get("/admin/").text
    assert '<td>Grace H <span class="quiet">grace</span></td>' in page  # names are theirs to choose
    assert row.reference in page
    assert "7c1e09ab" in page
    assert "In the last 24 hours: state_mismatch 2." in page
    assert "<td>1 of 1 people</td>" in page
    assert f"Django {django.get_version()}" in page
    assert "local-1_TestPool1" in page
    assert "Token encryption keys" in page
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f'<th scope="row">Version</th><td>{project["version"]}</td>' in page


def test_first_page_warns_while_break_glass_is_on(admin_client, settings):
    assert "Break-glass is on" not in admin_client.get("/admin/").text
    settings.BREAK_GLASS_LOGIN = True
    assert "Break-glass is on" in admin_client.get("/admin/").text


def test_earlier_keys_that_still_count_are_shown(admin_client, settings):
    settings.SECRET_KEY_FALLBACKS = ["an-earlier-key-that-signs-nothing"]
    page = admin_client.get("/admin/").text
    assert '<th scope="row">Earlier SECRET_KEYs still accepted</th><td>1</td>' in page
    assert "an-earlier-key" not in page


def test_staff_without_the_right_to_events_see_only_their_tables(client, cognito_client):
    cognito_client("grace", name="Grace H")
    user = User.objects.create_user("figures-only", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_stat"))
    client.force_login(user)
    page = client.get("/admin/")
    assert page.status_code == 200
    assert "Grace H" not in page.text
    assert "Recent sign-ins" not in page.text


def test_first_page_costs_few_queries(admin_client, django_assert_max_num_queries):
    user = User.objects.create_user("somebody")
    for _ in range(20):
        events.record("signed_in", user=user)
    with django_assert_max_num_queries(12):
        admin_client.get("/admin/")
