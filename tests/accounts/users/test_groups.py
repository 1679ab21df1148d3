"""Groups of verified tokens grant rights, and a newer token without them revokes the rights."""

import dataclasses
import logging
from types import MappingProxyType

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.checks import check_settings
from accounts.cognito.claims import AccessClaims, IdClaims
from accounts.cognito.group_mapping import GroupMapping, Rights, parse_rules
from accounts.models import Identity, SignInEvent, User
from accounts.provider import provider
from accounts.users import groups
from accounts.users.provisioning import get_or_create_user

NOW = int(timezone.now().timestamp())
SHARED = {
    "subject": "34c84488-e0e1-70ae-d2ee-991ad1a898c8",
    "client_id": "4client",
    "username": "grace",
    "expires_at": NOW + 3600,
    "auth_time": NOW,
    "jti": None,
    "origin_jti": None,
    "raw": MappingProxyType({}),
}
ID_CLAIMS = {
    "nonce": None,
    "email": "grace@example.com",
    "email_verified": True,
    "name": "Grace Hopper",
    "given_name": None,
    "family_name": None,
}


def pool_id_of(changes):
    return changes.get("issuer", provider().config.issuer).rsplit("/")[-1]


def access_token(*group_names, at=NOW, **changes):
    claims = {
        **SHARED,
        "pool_id": pool_id_of(changes),
        "issuer": provider().config.issuer,
        "scopes": frozenset(),
        "groups": tuple(group_names) or None,
        "issued_at": at,
    }
    return AccessClaims(**claims | changes)


def id_token(*group_names, at=NOW, **changes):
    claims = {
        **SHARED,
        **ID_CLAIMS,
        "pool_id": pool_id_of(changes),
        "issuer": provider().config.issuer,
        "groups": tuple(group_names) or None,
        "issued_at": at,
    }
    return IdClaims(**claims | changes)


def rights(user):
    fresh = User.objects.get(pk=user.pk)
    return set(fresh.groups.values_list("name", flat=True)), fresh.is_staff, fresh.is_superuser


@pytest.fixture
def mapping(settings):
    """A function that sets the mapping, and how an absent claim is read."""

    def set_mapping(rules, *, absent_means_none=True, **options):
        settings.COGNITO = {
            **settings.COGNITO,
            "GROUPS": rules,
            "GROUPS_ABSENT_MEANS_NONE": absent_means_none,
            **options,
        }

    return set_mapping


# --- The mapping ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["editors", ["editors"], {"groups": "editors"}])
def test_rule_accepts_three_forms_for_groups(rule):
    assert parse_rules({"writers": rule}) == {"writers": Rights(frozenset({"editors"}))}


@pytest.mark.parametrize(
    "rule", [1, None, {"group": "x"}, {"staff": "yes"}, [1], [""], {"groups": 3}, "x" * 151]
)
def test_malformed_rule_raises_an_error_that_names_its_group(rule):
    with pytest.raises(ValueError, match="writers"):
        parse_rules({"writers": rule})


def test_malformed_rule_is_a_system_check_error(mapping):
    mapping({"writers": {"staf": True}})
    (message,) = check_settings(None)
    assert message.id == "accounts.E003"
    assert "COGNITO_GROUPS" in message.msg
    assert "writers" in message.msg


def test_rights_of_several_groups_are_combined():
    mapping = GroupMapping(parse_rules({"a": ["x", "y"], "b": {"groups": "z", "staff": True}}))
    assert mapping.rights(["a", "b", "unknown"]) == Rights(frozenset("xyz"), staff=True)


def test_unmapped_groups_exclude_those_of_federations():
    group_names = ["eu-west-1_AbCdEfGhI_Google", "eu-west-1_Another01_Google", "cooks"]
    assert GroupMapping().unmapped(group_names, pool_id="eu-west-1_AbCdEfGhI") == group_names[1:]


# --- Granting and revoking ------------------------------------------------------------------------

pytestmark = pytest.mark.django_db


def test_default_mapping_grants_editors_stats_and_admins_everything():
    grace = get_or_create_user(id_token("editors"))
    assert rights(grace) == ({"editors"}, False, False)
    assert grace.has_perms(["stats.add_stat", "stats.change_stat", "stats.delete_stat"])
    assert not grace.has_perm("accounts.change_user")
    ada = get_or_create_user(id_token("admins", subject="ada"))
    assert rights(ada) == (set(), True, True)


@pytest.mark.parametrize("token", [access_token, id_token])
def test_newer_token_grants_and_revokes_rights(token):
    user = get_or_create_user(token("editors"))
    assert rights(user)[0] == {"editors"}
    get_or_create_user(token("admins", at=NOW + 1))
    assert rights(user) == (set(), True, True)
    get_or_create_user(token(at=NOW + 2))
    assert rights(user) == (set(), False, False)


def test_older_token_changes_no_rights():
    user = get_or_create_user(access_token(at=NOW))
    get_or_create_user(access_token("admins", at=NOW - 1))
    get_or_create_user(id_token("admins", at=NOW - 1))
    assert rights(user) == (set(), False, False)
    assert Identity.objects.get().groups == []


def test_access_token_of_the_same_second_only_revokes_rights():
    user = get_or_create_user(access_token("editors", "cooks"))
    get_or_create_user(access_token("cooks", "admins"))
    assert rights(user) == (set(), False, False)
    assert Identity.objects.get().groups == ["cooks"]


def test_id_token_of_the_same_second_replaces_rights():
    user = get_or_create_user(id_token("editors"))
    get_or_create_user(id_token("admins"))
    assert rights(user) == (set(), True, True)


def test_token_overtaken_by_a_newer_one_changes_no_rights(monkeypatch):
    """Another process applies a newer token between the read and the write of the identity."""
    user = get_or_create_user(access_token(at=NOW))

    def apply_newer_token(*args):
        Identity.objects.update(groups_as_of=timezone.now() + timezone.timedelta(hours=1))

    monkeypatch.setattr(groups, "_name_unmapped", apply_newer_token)
    get_or_create_user(access_token("admins", at=NOW + 1))
    assert rights(user) == (set(), False, False)


def test_absent_claim_changes_no_rights_if_the_setting_is_off(mapping):
    mapping({"editors": "editors"}, absent_means_none=False)
    user = get_or_create_user(access_token("editors"))
    get_or_create_user(access_token(at=NOW + 1))
    assert rights(user)[0] == {"editors"}
    assert Identity.objects.get().groups == ["editors"]
    get_or_create_user(access_token(at=NOW + 2, groups=()))
    assert rights(user)[0] == set()


def test_groups_outside_the_mapping_are_kept():
    user = get_or_create_user(access_token("editors"))
    user.groups.add(Group.objects.create(name="choir"))
    get_or_create_user(access_token(at=NOW + 1))
    assert rights(user)[0] == {"choir"}


def test_rights_granted_by_hand_are_kept():
    user = get_or_create_user(access_token())
    User.objects.filter(pk=user.pk).update(is_staff=True)
    get_or_create_user(access_token("editors", at=NOW + 1))
    get_or_create_user(access_token(at=NOW + 2))
    assert rights(user) == (set(), True, False)


def test_local_superuser_keeps_all_rights():
    user = get_or_create_user(access_token("editors"))
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    get_or_create_user(access_token("admins", at=NOW + 1))
    assert rights(user) == ({"editors"}, False, True)
    get_or_create_user(access_token(at=NOW + 2))
    assert rights(user) == ({"editors"}, False, True)


def test_mapped_group_is_created_when_it_is_first_granted(mapping):
    mapping({"cooks": ["kitchen", "staff room"]})
    user = get_or_create_user(access_token("cooks"))
    assert rights(user)[0] == {"kitchen", "staff room"}
    assert user.get_all_permissions() == set()


def test_each_change_of_rights_is_recorded_once():
    user = get_or_create_user(id_token("editors"))
    get_or_create_user(id_token("editors", at=NOW + 1))
    get_or_create_user(id_token("admins", at=NOW + 2))
    events = SignInEvent.objects.filter(kind="rights_changed").order_by("pk")
    assert [event.details for event in events] == [
        {"added": "group editors"},
        {"added": "staff, superuser", "removed": "group editors"},
    ]
    assert {(event.user, event.pool_username) for event in events} == {(user, "grace")}


def test_user_instance_has_its_new_rights_immediately():
    user = get_or_create_user(id_token())
    assert not user.has_perm("stats.add_stat")
    user = get_or_create_user(id_token("editors", at=NOW + 1))
    assert user.has_perm("stats.add_stat")


def test_unmapped_group_is_logged_once_and_a_federation_group_never(caplog):
    groups._log_unmapped.cache_clear()
    caplog.set_level(logging.WARNING, logger=groups.__name__)
    federation_group = f"{provider().config.pool_id}_Google"
    get_or_create_user(access_token("cooks", federation_group))
    get_or_create_user(access_token("cooks", "editors", federation_group, at=NOW + 1))
    assert caplog.text.count("cooks") == 1
    assert "Google" not in caplog.text


def test_group_without_a_rule_grants_no_rights(mapping):
    """Django can have a group with the name of a pool's group, also of one for a federation."""
    names = [f"{provider().config.pool_id}_Google", "cooks", "admins"]
    for name in names:
        Group.objects.create(name=name)
    mapping({"editors": "editors"})
    assert rights(get_or_create_user(access_token(*names))) == (set(), False, False)
    assert rights(get_or_create_user(id_token(*names, at=NOW + 1))) == (set(), False, False)


def test_mapped_federation_group_grants_rights(mapping):
    name = f"{provider().config.pool_id}_Google"
    mapping({name: "editors"})
    assert rights(get_or_create_user(access_token(name)))[0] == {"editors"}


def test_token_without_changes_makes_one_query(django_assert_num_queries):
    claims = access_token("editors")
    user = get_or_create_user(claims)
    with django_assert_num_queries(1):
        groups.apply_groups(user, claims)


def test_later_sign_in_reads_the_identity_twice(django_assert_num_queries):
    """Once to find the user, and once among all identities of the locked user."""
    get_or_create_user(id_token("editors"))
    with django_assert_num_queries(7) as queries:  # two are the savepoint
        get_or_create_user(id_token("editors", at=NOW + 1))
    read = [q["sql"] for q in queries if q["sql"].startswith('SELECT "accounts_identity"')]
    assert len(read) == 2


# --- Several pools --------------------------------------------------------------------------------

OTHER_POOL = "eu-west-1_Partner01"
OTHER_ISSUER = f"https://cognito-idp.eu-west-1.amazonaws.com/{OTHER_POOL}"


def test_groups_of_a_trusted_pool_grant_rights_only_by_its_own_rules(mapping):
    trusted = {OTHER_POOL: {"clients": ["4client"]}}
    admins = {"admins": {"staff": True, "superuser": True}}
    mapping(admins, TRUSTED_POOLS=trusted)
    stranger = get_or_create_user(access_token("admins", issuer=OTHER_ISSUER))
    assert rights(stranger) == (set(), False, False)
    mapping(admins, TRUSTED_POOLS={OTHER_POOL: {**trusted[OTHER_POOL], "groups": {"admins": "x"}}})
    get_or_create_user(access_token("admins", issuer=OTHER_ISSUER, at=NOW + 1))
    assert rights(stranger) == ({"x"}, False, False)


def test_one_pool_does_not_revoke_rights_of_another(mapping):
    rules = {"editors": "editors"}
    mapping(rules, TRUSTED_POOLS={OTHER_POOL: {"clients": ["4client"], "groups": rules}})
    user = get_or_create_user(access_token("editors"))
    Identity.objects.create(user=user, issuer=OTHER_ISSUER, subject=SHARED["subject"])
    get_or_create_user(access_token(issuer=OTHER_ISSUER))
    assert rights(user)[0] == {"editors"}
    get_or_create_user(access_token(at=NOW + 1))
    assert rights(user)[0] == set()


def test_claims_are_not_applied_to_another_user():
    get_or_create_user(access_token("editors"))
    stranger = User.objects.create_user("stranger")
    groups.apply_groups(stranger, dataclasses.replace(access_token("admins"), issued_at=NOW + 5))
    assert rights(stranger) == (set(), False, False)
