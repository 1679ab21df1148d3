import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.core.request_context import CurrentRequest
from accounts.models import Identity, Revocation, SignInEvent, User
from accounts.sessions.deactivation import set_active

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    user = User.objects.create_user("person-1")
    Identity.objects.create(user=user, issuer="https://issuer", subject="subject")
    return user


def revocation_kinds():
    return sorted(Revocation.objects.values_list("kind", flat=True))


def test_change_of_other_fields_writes_no_revocation(user):
    user.email = "a@example.com"
    user.save()
    user.save(update_fields=["email"])
    assert revocation_kinds() == []


def test_save_without_the_field_makes_no_further_query(user):
    with CaptureQueriesContext(connection) as queries:
        user.save(update_fields=["email"])
    assert len(queries) == 1


def test_unsaved_field_writes_no_revocation(user):
    user.is_active = False
    user.save(update_fields=["email"])
    assert revocation_kinds() == []


def test_deactivation_and_reactivation_write_revocations(user):
    user.is_active = False
    user.save()
    assert revocation_kinds() == ["deactivated", "user"]
    user.is_active = True
    user.save()
    assert revocation_kinds() == ["deactivated", "reactivated", "user"]


def recorded_events():
    events = SignInEvent.objects.filter(kind__in=["activated", "deactivated"]).order_by("pk")
    return [(event.kind, event.user, event.reason, event.details) for event in events]


def test_change_by_code_is_recorded_once(user):
    user.is_active = False
    user.save()
    user.save()
    user.is_active = True
    user.save()
    assert recorded_events() == [
        ("deactivated", user, "command", {}),
        ("activated", user, "command", {}),
    ]


@pytest.fixture
def superuser(admin_client):
    """The superuser of `admin_client`."""
    return User.objects.get(username="admin")


def test_admin_action_is_recorded_once_with_its_actor(user, admin_client, superuser):
    changelist = reverse("admin:accounts_user_changelist")
    by = {"by": "admin@example.com", "by_id": str(superuser.pk)}
    for action in ("deactivate", "activate"):
        admin_client.post(changelist, {"action": action, "_selected_action": [user.pk]})
    assert recorded_events() == [
        ("deactivated", user, "admin", by),
        ("activated", user, "admin", by),
    ]


def test_admin_form_is_recorded_once_with_its_actor(user, admin_client, superuser):
    page = reverse("admin:accounts_user_change", args=[user.pk])
    assert admin_client.post(page, {"username": "person-1"}).status_code == 302
    by = {"by": "admin@example.com", "by_id": str(superuser.pk)}
    assert recorded_events() == [("deactivated", user, "admin", by)]


def test_change_by_a_page_is_recorded_with_the_user_of_the_request(user, superuser, rf):
    request = rf.get("/", headers={"user-agent": "Firefox"})
    request.user = superuser
    with CurrentRequest(request):
        user.is_active = False
        user.save()
        superuser.is_active = False
        superuser.save()
    by = {"by": "admin@example.com", "by_id": str(superuser.pk)}
    assert recorded_events() == [
        ("deactivated", user, "site", by),
        ("deactivated", superuser, "site", {}),
    ]
    assert {event.device for event in SignInEvent.objects.all()} == {"Firefox"}


def test_details_apply_to_one_change(user):
    set_active(user, False, reason="gone_in_pool", pool_username="grace")
    set_active(user, True)
    assert [reason for _, _, reason, _ in recorded_events()] == ["gone_in_pool", "command"]
    assert SignInEvent.objects.get(kind="deactivated").pool_username == "grace"


def test_unsaved_change_is_not_recorded(user):
    user.is_active = False
    user.save(update_fields=["email"])
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert recorded_events() == []


def test_saving_a_deactivated_user_again_writes_no_revocation(user):
    user.is_active = False
    user.save()
    user.save()
    assert revocation_kinds() == ["deactivated", "user"]


def test_new_inactive_user_writes_no_revocation():
    User.objects.create_user("person-2", is_active=False)
    assert revocation_kinds() == []


def test_deletion_revokes_tokens_and_keeps_the_audit_log(user):
    User.objects.filter(pk=user.pk).delete()
    assert revocation_kinds() == ["user"]
    assert SignInEvent.objects.get().user is None
