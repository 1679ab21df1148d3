import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, Group, Permission

from accounts.backends import CognitoBackend
from accounts.users.permission_query import load_permissions, uses_default_permissions

pytestmark = pytest.mark.django_db


@pytest.fixture
def stats():
    """The permissions on `Stat` by their verb: add, change, delete and view."""
    permissions = Permission.objects.filter(
        content_type__app_label="stats", codename__endswith="_stat"
    )
    return {permission.codename.partition("_")[0]: permission for permission in permissions}


@pytest.fixture
def linus(stats):
    user = get_user_model().objects.create_user("linus")
    translators, proofreaders = (
        Group.objects.create(name=name) for name in ("translators", "proofreaders")
    )
    translators.permissions.set([stats["add"], stats["change"]])
    proofreaders.permissions.set([stats["view"], stats["change"]])
    Group.objects.create(name="another group").permissions.set(Permission.objects.all())
    user.groups.set([translators, proofreaders])
    user.user_permissions.set([stats["delete"], stats["view"]])
    return user


def django_permissions(user):
    upstream = ModelBackend()
    return upstream.get_user_permissions(user) | upstream.get_group_permissions(user)


def test_permissions_of_the_user_and_of_their_groups(linus):
    expected = {f"stats.{verb}_stat" for verb in ("add", "change", "delete", "view")}
    assert load_permissions(linus) == expected == django_permissions(linus)


@pytest.mark.parametrize("cleared", ["groups", "user_permissions", "both"])
def test_permissions_without_groups_or_user_permissions(linus, cleared):
    for name in ("groups", "user_permissions") if cleared == "both" else (cleared,):
        getattr(linus, name).clear()
    assert load_permissions(linus) == django_permissions(linus)
    assert bool(load_permissions(linus)) == (cleared != "both")


def test_group_without_permissions_grants_none(linus):
    linus.user_permissions.clear()
    linus.groups.set([Group.objects.create(name="empty")])
    assert load_permissions(linus) == set()


def test_superuser_has_all_permissions(linus):
    linus.is_superuser = True
    assert load_permissions(linus) == django_permissions(linus)
    assert len(load_permissions(linus)) == Permission.objects.count()


def test_site_without_permissions_grants_none(linus):
    Permission.objects.all().delete()
    assert load_permissions(linus) == set()
    linus.is_superuser = True
    assert load_permissions(linus) == set()


def test_codename_can_have_any_characters(linus, stats):
    Permission.objects.filter(pk=stats["add"].pk).update(codename='ä "%s" \\ {')
    assert 'stats.ä "%s" \\ {' in load_permissions(linus)
    assert load_permissions(linus) == django_permissions(linus)


def test_permissions_are_read_in_one_query_and_cached(linus, django_assert_num_queries):
    user = get_user_model().objects.get()
    with django_assert_num_queries(1):
        assert user.has_perm("stats.add_stat")
        assert not user.has_perm("stats.sell_stat")
        assert len(user.get_all_permissions()) == 4
        assert user.has_module_perms("stats")


def test_revoked_permissions_apply_to_the_next_request(linus, stats):
    linus.groups.clear()
    linus.user_permissions.remove(stats["delete"])
    user = get_user_model().objects.get()
    assert user.get_all_permissions() == {"stats.view_stat"}


def test_inactive_and_anonymous_users_have_no_permissions(linus, django_assert_num_queries):
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


class WithoutAnyGroups(CognitoBackend):
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
        (WithoutAnyGroups, "stats.delete_stat", "stats.add_stat"),
        (WithRoles, "stats.role_given", "stats.sell_stat"),
    ],
)
def test_overridden_permission_methods_are_called(linus, settings, backend, granted, refused):
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.{backend.__name__}"]
    assert linus.has_perm(granted)
    assert not linus.has_perm(refused)
    assert not linus.has_perm("stats.sell_stat")


def test_user_model_with_its_own_permissions_is_respected():
    class Relations:
        def __init__(self, **conditions):
            self._permissions = Permission.objects.filter(**conditions)

        def all(self):
            return self._permissions

    class OwnUser:
        pk, is_active, is_anonymous, is_superuser = 1, True, False, False
        user_permissions = Relations(content_type__app_label="stats", codename="add_stat")
        groups = Relations(codename="nothing")

    assert not uses_default_permissions(OwnUser())
    assert CognitoBackend().get_user_permissions(OwnUser()) == {"stats.add_stat"}
    user = OwnUser()
    user._group_perm_cache = set()
    assert CognitoBackend().get_all_permissions(user) == {"stats.add_stat"}


def test_user_of_another_database_is_not_queried_in_this_one(linus):
    assert uses_default_permissions(linus)
    linus._state.db = "other"
    assert not uses_default_permissions(linus)
