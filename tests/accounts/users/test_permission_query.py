import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, Group, Permission

from accounts.backends import CognitoBackend
from accounts.users.permission_query import is_as_django_has_them, permission_names

pytestmark = pytest.mark.django_db


@pytest.fixture
def stats():
    """Permissions of the figures by what they allow."""
    found = Permission.objects.filter(content_type__app_label="stats", codename__endswith="_stat")
    return {each.codename.partition("_")[0]: each for each in found}


@pytest.fixture
def linus(stats):
    user = get_user_model().objects.create_user("linus")
    translators, proofreaders = (
        Group.objects.create(name=name) for name in ("translators", "proofreaders")
    )
    translators.permissions.set([stats["add"], stats["change"]])
    proofreaders.permissions.set([stats["view"], stats["change"]])
    Group.objects.create(name="somebody else's").permissions.set(Permission.objects.all())
    user.groups.set([translators, proofreaders])
    user.user_permissions.set([stats["delete"], stats["view"]])
    return user


def as_django_finds_them(user):
    upstream = ModelBackend()
    return upstream.get_user_permissions(user) | upstream.get_group_permissions(user)


def test_permissions_of_the_person_and_of_their_groups(linus):
    expected = {f"stats.{what}_stat" for what in ("add", "change", "delete", "view")}
    assert permission_names(linus) == expected == as_django_finds_them(linus)


@pytest.mark.parametrize("taken", ["groups", "user_permissions", "both"])
def test_permissions_when_one_or_both_of_the_kinds_are_missing(linus, taken):
    for name in ("groups", "user_permissions") if taken == "both" else (taken,):
        getattr(linus, name).clear()
    assert permission_names(linus) == as_django_finds_them(linus)
    assert bool(permission_names(linus)) == (taken != "both")


def test_group_without_permissions(linus):
    linus.user_permissions.clear()
    linus.groups.set([Group.objects.create(name="empty")])
    assert permission_names(linus) == set()


def test_superuser_has_all_there_are(linus):
    linus.is_superuser = True
    assert permission_names(linus) == as_django_finds_them(linus)
    assert len(permission_names(linus)) == Permission.objects.count()


def test_nobody_has_any_where_there_are_none(linus):
    Permission.objects.all().delete()
    assert permission_names(linus) == set()
    linus.is_superuser = True
    assert permission_names(linus) == set()


def test_names_with_any_characters(linus, stats):
    Permission.objects.filter(pk=stats["add"].pk).update(codename='ä "%s" \\ {')
    assert 'stats.ä "%s" \\ {' in permission_names(linus)
    assert permission_names(linus) == as_django_finds_them(linus)


def test_user_asks_in_one_query_and_remembers(linus, django_assert_num_queries):
    user = get_user_model().objects.get()
    with django_assert_num_queries(1):
        assert user.has_perm("stats.add_stat")
        assert not user.has_perm("stats.sell_stat")
        assert len(user.get_all_permissions()) == 4
        assert user.has_module_perms("stats")


def test_what_was_taken_counts_from_the_next_request(linus, stats):
    linus.groups.clear()
    linus.user_permissions.remove(stats["delete"])
    user = get_user_model().objects.get()
    assert user.get_all_permissions() == {"stats.view_stat"}


def test_inactive_anonymous_and_objects_have_none(linus, django_assert_num_queries):
    linus.is_superuser = True
    backend = CognitoBackend()
    with django_assert_num_queries(0):
        assert backend.get_all_permissions(linus, obj=linus) == set()
        assert backend.get_all_permissions(AnonymousUser()) == set()
        linus.is_active = False
        assert backend.get_all_permissions(linus) == set()


class WithoutGroups(CognitoBackend):
    def _get_group_permissions(self, user_obj):
        return Permission.objects.none()


class WithNothingOfGroups(CognitoBackend):
    def get_group_permissions(self, user_obj, obj=None):
        return set()


class WithRoles(CognitoBackend):
    def get_user_permissions(self, user_obj, obj=None):
        return {*super().get_user_permissions(user_obj, obj), "stats.role_given"}


@pytest.mark.parametrize(
    ("backend", "granted", "refused"),
    [
        (CognitoBackend, "stats.add_stat", "stats.role_given"),
        (WithoutGroups, "stats.delete_stat", "stats.add_stat"),
        (WithNothingOfGroups, "stats.delete_stat", "stats.add_stat"),
        (WithRoles, "stats.role_given", "stats.sell_stat"),
    ],
)
def test_subclass_has_its_say(linus, settings, backend, granted, refused):
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.{backend.__name__}"]
    assert linus.has_perm(granted)
    assert not linus.has_perm(refused)
    assert not linus.has_perm("stats.sell_stat")


def test_user_model_with_permissions_of_its_own_keeps_them():
    class Relations:
        def __init__(self, **where):
            self._rows = Permission.objects.filter(**where)

        def all(self):
            return self._rows

    class Person:
        pk, is_active, is_anonymous, is_superuser = 1, True, False, False
        user_permissions = Relations(content_type__app_label="stats", codename="add_stat")
        groups = Relations(codename="nothing")

    assert not is_as_django_has_them(Person())
    assert CognitoBackend().get_user_permissions(Person()) == {"stats.add_stat"}
    person = Person()
    person._group_perm_cache = set()
    assert CognitoBackend().get_all_permissions(person) == {"stats.add_stat"}


def test_user_of_another_database_is_not_asked_about_in_this_one(linus):
    assert is_as_django_has_them(linus)
    linus._state.db = "other"
    assert not is_as_django_has_them(linus)
