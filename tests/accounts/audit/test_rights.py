"""Each change of rights is recorded once, with its actor and its origin."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.test import RequestFactory
from django.urls import ResolverMatch, reverse

from accounts.audit import rights
from accounts.core.request_context import CurrentRequest, current_request
from accounts.models import SignInEvent, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return User.objects.create_user("user-1")


@pytest.fixture
def group():
    return Group.objects.create(name="finance")


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator"))
    return client


def permission(codename):
    return Permission.objects.get(codename=codename)


def recorded_changes():
    """Return the user, the reason and the details of each event, in their order."""
    events = SignInEvent.objects.filter(kind="rights_changed").order_by("pk")
    return [(event.user, event.reason, event.details) for event in events]


def test_membership_changed_by_a_command_is_recorded(user, group):
    user.groups.add(group)
    user.groups.add(group)
    user.groups.remove(group)
    user.groups.remove(group)
    assert recorded_changes() == [
        (user, "command", {"added": "group finance"}),
        (user, "command", {"removed": "group finance"}),
    ]


def test_membership_changed_from_the_groups_side_is_recorded_for_each_user(user, group):
    other = User.objects.create_user("user-2")
    group.user_set.set([user, other])
    group.user_set.clear()
    added, removed = {"added": "group finance"}, {"removed": "group finance"}
    assert [one for one in recorded_changes() if one[0] == user] == [
        (user, "command", added),
        (user, "command", removed),
    ]
    assert len(recorded_changes()) == 4


def test_permissions_of_a_user_and_of_a_group_are_recorded(user, group):
    user.user_permissions.set([permission("view_user")])
    group.permissions.add(permission("view_user"), permission("change_user"))
    permission("view_user").group_set.clear()
    assert recorded_changes() == [
        (user, "command", {"added": "permission view_user"}),
        (
            None,
            "command",
            {"group": "finance", "added": "permission change_user, permission view_user"},
        ),
        (None, "command", {"group": "finance", "removed": "permission view_user"}),
    ]


def test_flags_saved_are_recorded(user):
    user.is_staff = user.is_superuser = True
    user.save()
    user.is_staff = False
    user.save(update_fields=["is_staff"])
    user.is_superuser = False
    user.save(update_fields=["email"])
    assert recorded_changes() == [
        (user, "command", {"added": "staff, superuser"}),
        (user, "command", {"removed": "staff"}),
    ]


def test_deleted_group_is_recorded_for_its_members_and_itself(user, group):
    user.groups.add(group)
    group.permissions.add(permission("view_user"))
    SignInEvent.objects.all().delete()
    Group.objects.filter(pk=group.pk).delete()
    assert recorded_changes() == [
        (user, "command", {"removed": "group finance"}),
        (None, "command", {"group": "finance", "removed": "permission view_user"}),
    ]


def test_changes_within_one_event_are_recorded_as_their_result(user, group):
    other_group = Group.objects.create(name="kept")
    user.groups.add(other_group)
    SignInEvent.objects.all().delete()
    with rights.single_event(reason="why"):
        user.groups.set([group, other_group], clear=True)
        user.is_staff = True
        user.save()
        user.user_permissions.add(permission("view_user"))
        user.user_permissions.clear()
    assert recorded_changes() == [(user, "why", {"added": "group finance, staff"})]


def add_and_fail(user, group):
    user.groups.add(group)
    raise ValueError("after that")


def test_reverted_change_is_not_recorded(user, group):
    with pytest.raises(ValueError, match="after that"), rights.single_event(), transaction.atomic():
        add_and_fail(user, group)
    assert recorded_changes() == []


def test_change_that_outlives_a_failure_is_recorded(user, group):
    with pytest.raises(ValueError, match="after that"), rights.single_event():
        add_and_fail(user, group)
    assert recorded_changes() == [(user, "command", {"added": "group finance"})]


def test_change_by_another_page_is_recorded_with_actor_and_origin(user, group):
    request = RequestFactory().get("/", headers={"user-agent": "Firefox"}, REMOTE_ADDR="192.0.2.7")
    request.user = user
    request.resolver_match = ResolverMatch(None, (), {}, app_names=["host"])
    with CurrentRequest(request):
        user.groups.add(group)
    assert current_request() is None
    event = SignInEvent.objects.get()
    assert (event.reason, event.ip_address, event.device) == ("site", "192.0.2.7", "Firefox")
    assert event.details == {
        "added": "group finance",
        "by": "user-1",
        "by_id": str(user.pk),
    }


def test_group_changed_in_the_admin_is_one_event(operator, group):
    group.permissions.add(permission("view_user"))
    SignInEvent.objects.all().delete()
    form = {"name": "finance", "permissions": [permission("change_user").pk]}
    answer = operator.post(reverse("admin:auth_group_change", args=[group.pk]), form)
    assert answer.status_code == 302
    event = SignInEvent.objects.get(kind="rights_changed")
    assert (event.user, event.reason, event.ip_address) == (None, "admin", "127.0.0.1")
    assert event.details.pop("by_id")
    assert event.details == {
        "group": "finance",
        "added": "permission change_user",
        "removed": "permission view_user",
        "by": "operator",
    }


def test_group_deleted_in_the_admin_is_recorded(operator, group, user):
    user.groups.add(group)
    SignInEvent.objects.all().delete()
    operator.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"})
    assert not Group.objects.filter(name="finance").exists()
    event = SignInEvent.objects.get(kind="rights_changed")
    assert (event.user, event.reason, event.details["removed"]) == (user, "admin", "group finance")


def test_rights_from_the_pool_are_recorded_with_the_ip_address(cognito_client):
    ada = cognito_client("ada", groups=["admins"])
    event = SignInEvent.objects.get(kind="rights_changed")
    assert (event.user, event.pool_username, event.reason) == (ada.user, "ada", "pool_groups")
    assert event.ip_address == "127.0.0.1"
    assert "by" not in event.details


def test_rights_from_a_bearer_token_are_recorded_with_the_ip_address(cognito_client):
    cognito_client("grace", groups=["editors"], session=False).get("/api/user")
    event = SignInEvent.objects.get(kind="rights_changed")
    assert (event.pool_username, event.reason, event.ip_address) == (
        "grace",
        "pool_groups",
        "127.0.0.1",
    )
