"""The overview on the index page of the admin."""

import re

import django
import pytest
from django.contrib.auth.models import Group, Permission

import accounts
from accounts.audit import events
from accounts.models import User

pytestmark = pytest.mark.django_db


def tiles(page):
    found = re.findall(r'tiles__value">(\d+)</span> ([^<]+)<', page)
    return {name: int(value) for value, name in found}


def test_index_page_shows_who_cannot_sign_in_who_is_in_and_versions(admin_client, cognito_client):
    grace = cognito_client("grace", name="Grace H").user
    for _ in range(2):
        events.record_event("refused", reference="7c1e09ab", reason="state_mismatch", user=grace)
    page = admin_client.get("/admin/").text
    assert f'<a href="/admin/accounts/user/{grace.pk}/change/">Grace H</a>' in page
    assert "7c1e09ab" in page
    assert "the callback belongs to no attempt of this browser" in page
    assert "<code>state_mismatch</code> <strong>2</strong>" in page
    counts = {"users signed in": 1, "sessions": 1, "refused in 24 hours": 2, "staff users": 1}
    assert tiles(page).items() >= counts.items()
    assert f"Django {django.get_version()}" in page
    assert "local-1_TestPool1" in page
    assert "Token encryption keys" in page
    assert f'<th scope="row">Version</th><td>{accounts.__version__}</td>' in page


def test_username_at_the_pool_is_shown_next_to_a_chosen_name(admin_client, cognito_client):
    grace = cognito_client("grace", name="Ada L").user
    events.record_event("refused", reason="throttled", user=grace, pool_username="grace")
    assert 'Ada L</a> <span class="quiet">grace</span>' in admin_client.get("/admin/").text


def test_index_page_shows_who_has_which_rights(admin_client):
    user = User.objects.create_user("mary", first_name="Mary", is_staff=True)
    user.groups.add(Group.objects.get(name="editors"))
    User.objects.create_user("former", first_name="Former", is_staff=True, is_active=False)
    page = admin_client.get("/admin/").text
    staff = page.partition('aria-labelledby="staff-title"')[2].partition("</section>")[0]
    assert '>Mary</a></td><td class="overview__words">staff, editors</td>' in staff
    assert ">superuser</td>" in staff
    assert "Former" not in staff


def test_a_name_is_shown_as_text(admin_client):
    events.record_event("refused", reason="<b>", pool_username="<script>alert(1)</script>")
    page = admin_client.get("/admin/").text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


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
    assert "tiles__item" not in page.text


def test_index_page_needs_few_queries(admin_client, django_assert_max_num_queries):
    user = User.objects.create_user("user")
    for _ in range(20):
        events.record_event("signed_in", user=user)
    with django_assert_max_num_queries(20):
        admin_client.get("/admin/")
