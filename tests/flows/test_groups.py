"""Group changes at the pool change the rights with the next token."""

from datetime import timedelta

import pytest
import requests
from django.contrib.auth import get_user_model
from django.utils import timezone

from accounts.models import Identity, SignIn, SignInEvent

pytestmark = pytest.mark.django_db(transaction=True)


def may_write():
    return get_user_model().objects.get().has_perm("stats.add_stat")


def api(site, access_token):
    response = requests.get(
        f"{site}/api/user?include=permissions",
        headers={"Authorization": f"Bearer {access_token}"},
        timeout=60,
    )
    assert response.status_code == 200, response.text
    return response.json()["data"]["permissions"]


def a_second_passes():
    """Move the last token time back instead of waiting, because tokens count whole seconds."""
    earlier = Identity.objects.get().groups_as_of - timedelta(seconds=1)
    Identity.objects.update(groups_as_of=earlier)


def test_group_removed_at_the_pool_is_lost_at_the_next_sign_in(new_visitor, pool):
    new_visitor().sign_in("grace")
    assert may_write()
    pool.set_groups("grace")
    assert may_write(), "nothing said so yet"
    new_visitor().sign_in("grace")
    assert not may_write()
    pool.set_groups("grace", "editors")
    new_visitor().sign_in("grace")
    assert may_write()


def test_group_removed_at_the_pool_is_lost_at_the_next_refresh(visitor, pool):
    visitor.sign_in("grace")
    pool.set_groups("grace")
    SignIn.objects.update(renew_at=timezone.now())
    assert visitor.is_signed_in
    assert not may_write()
    pool.set_groups("grace", "editors", "admins")
    SignIn.objects.update(renew_at=timezone.now())
    visitor.get("/profile/")
    assert visitor.get("/admin/").status_code == 200
    changes = SignInEvent.objects.filter(kind="rights_changed").order_by("pk")
    assert [change.details for change in changes] == [
        {"added": "group editors"},
        {"removed": "group editors"},
        {"added": "group editors, staff, superuser"},
    ]


def test_group_removed_at_the_pool_is_lost_with_the_next_access_token(site, pool):
    first = pool.tokens_for("grace")["access_token"]
    assert "stats.add_stat" in api(site, first)
    pool.set_groups("grace")
    a_second_passes()
    assert "stats.add_stat" not in api(site, pool.tokens_for("grace")["access_token"])
    assert "stats.add_stat" not in api(site, first), "an older token gives nothing back"


def test_hundred_groups_are_one_sign_in_like_any_other(visitor, pool):
    names = [f"group-{number:03}-{'x' * 100}" for number in range(99)]
    pool.set_groups("grace", "editors", *names)
    visitor.sign_in("grace")
    assert visitor.is_signed_in
    assert may_write()
    assert sum(len(cookie.value) for cookie in visitor.http.cookies) < 1000
