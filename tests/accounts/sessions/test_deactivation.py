import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.core.request_context import Answering
from accounts.models import Identity, Revocation, SignInEvent, User
from accounts.sessions.deactivation import set_active

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    person = User.objects.create_user("person-1")
    Identity.objects.create(user=person, issuer="https://issuer", subject="subject")
    return person


def kinds():
    return sorted(Revocation.objects.values_list("kind", flat=True))


def test_change_of_other_fields_writes_nothing(user):
    user.email = "a@example.com"
    user.save()
    user.save(update_fields=["email"])
    assert kinds() == []


def test_save_without_the_field_costs_no_query(user):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        user.save(update_fields=["email"])
    assert len(queries) == 1


def test_field_left_out_of_the_save_is_not_believed(user):
    user.is_active = False
    user.save(update_fields=["email"])
    assert kinds() == []


def test_deactivation_and_back_are_both_told(user):
    user.is_active = False
    user.save()
    assert kinds() == ["deactivated", "user"]
    user.is_active = True
    user.save()
    assert kinds() == ["deactivated", "reactivated", "user"]


def recorded():
    events = SignInEvent.objects.filter(kind__in=["activated", "deactivated"]).order_by("pk")
    return [(event.kind, event.user, event.reason, event.details) for event in events]


def test_code_of_a_shell_leaves_the_event_that_the_admin_leaves(user):
    user.is_active = False
    user.save()
    user.save()
    user.is_active = True
    user.save()
    assert recorded() == [("deactivated", user, "command", {}), ("activated", user, "command", {})]


@pytest.fixture
def boss(admin_client):
    """The superuser whose browser `admin_client` is."""
    return User.objects.get(username="admin")


def test_admin_action_leaves_one_event_with_its_actor(user, admin_client, boss):
    changelist = reverse("admin:accounts_user_changelist")
    by = {"by": "admin@example.com", "by_id": str(boss.pk)}
    for action in ("deactivate", "activate"):
        admin_client.post(changelist, {"action": action, "_selected_action": [user.pk]})
    assert recorded() == [("deactivated", user, "admin", by), ("activated", user, "admin", by)]


def test_admin_form_leaves_one_event_with_its_actor(user, admin_client, boss):
    page = reverse("admin:accounts_user_change", args=[user.pk])
    assert admin_client.post(page, {"username": "person-1"}).status_code == 302
    by = {"by": "admin@example.com", "by_id": str(boss.pk)}
    assert recorded() == [("deactivated", user, "admin", by)]


def test_page_of_the_site_is_named_with_its_user(user, boss, rf):
    request = rf.get("/", headers={"user-agent": "Firefox"})
    request.user = boss
    with Answering(request):
        user.is_active = False
        user.save()
        boss.is_active = False
        boss.save()
    by = {"by": "admin@example.com", "by_id": str(boss.pk)}
    assert recorded() == [("deactivated", user, "site", by), ("deactivated", boss, "site", {})]
    assert {event.device for event in SignInEvent.objects.all()} == {"Firefox"}


def test_given_details_are_those_of_one_change(user):
    set_active(user, False, reason="gone_in_pool", pool_username="grace")
    set_active(user, True)
    assert [reason for _, _, reason, _ in recorded()] == ["gone_in_pool", "command"]
    assert SignInEvent.objects.get(kind="deactivated").pool_username == "grace"


def test_change_that_is_not_saved_leaves_no_event(user):
    user.is_active = False
    user.save(update_fields=["email"])
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert recorded() == []


def test_deactivated_person_that_is_saved_again_is_not_told_twice(user):
    user.is_active = False
    user.save()
    user.save()
    assert kinds() == ["deactivated", "user"]


def test_new_inactive_person_needs_no_telling():
    User.objects.create_user("person-2", is_active=False)
    assert kinds() == []


def test_deleted_persons_tokens_are_stopped_and_the_record_stays(user):
    User.objects.filter(pk=user.pk).delete()
    assert kinds() == ["user"]
    assert SignInEvent.objects.get().user is None
