import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Identity, Revocation, SignInEvent, User

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
    assert kinds() == ["deactivated", "person"]
    user.is_active = True
    user.save()
    assert kinds() == ["deactivated", "person", "reactivated"]


def test_deactivated_person_that_is_saved_again_is_not_told_twice(user):
    user.is_active = False
    user.save()
    user.save()
    assert kinds() == ["deactivated", "person"]


def test_new_inactive_person_needs_no_telling():
    User.objects.create_user("person-2", is_active=False)
    assert kinds() == []


def test_deleted_persons_tokens_are_stopped_and_the_record_stays(user):
    User.objects.filter(pk=user.pk).delete()
    assert kinds() == ["person"]
    assert SignInEvent.objects.get().user is None
