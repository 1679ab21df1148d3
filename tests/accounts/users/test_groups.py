"""Groups of verified tokens become rights, and stop being rights when they are gone."""

import dataclasses
import logging
from types import MappingProxyType

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.checks import check_settings
from accounts.cognito.claims import AccessClaims, IdClaims
from accounts.models import Identity, SignInEvent, User
from accounts.provider import provider
from accounts.provider.group_mapping import GroupMapping, Rights, parse_rules
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
OF_ID = {
    "nonce": None,
    "email": "grace@example.com",
    "email_verified": True,
    "name": "Grace Hopper",
    "given_name": None,
    "family_name": None,
}


def access(*named, at=NOW, **changes):
    claims = {
        **SHARED,
        "issuer": provider().config.issuer,
        "scopes": frozenset(),
        "groups": tuple(named) or None,
        "issued_at": at,
    }
    return AccessClaims(**claims | changes)


def id_token(*named, at=NOW, **changes):
    claims = {
        **SHARED,
        **OF_ID,
        "issuer": provider().config.issuer,
        "groups": tuple(named) or None,
        "issued_at": at,
    }
    return IdClaims(**claims | changes)


def rights(user):
    fresh = User.objects.get(pk=user.pk)
    return set(fresh.groups.values_list("name", flat=True)), fresh.is_staff, fresh.is_superuser


@pytest.fixture
def mapping(settings):
    """Set the mapping and how an absent claim is read."""

    def set_it(rules, *, absent_means_none=True, **more):
        settings.COGNITO = {
            **settings.COGNITO,
            "GROUPS": rules,
            "GROUPS_ABSENT_MEANS_NONE": absent_means_none,
            **more,
        }

    return set_it


# --- The mapping ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["editors", ["editors"], {"groups": "editors"}])
def test_rule_names_groups_in_any_of_three_ways(rule):
    assert parse_rules({"writers": rule}) == {"writers": Rights(frozenset({"editors"}))}


@pytest.mark.parametrize(
    "rule", [1, None, {"group": "x"}, {"staff": "yes"}, [1], [""], {"groups": 3}, "x" * 151]
)
def test_malformed_rule_names_its_group(rule):
    with pytest.raises(ValueError, match="writers"):
        parse_rules({"writers": rule})


def test_malformed_rule_stops_the_server_by_name(mapping):
    mapping({"writers": {"staf": True}})
    (message,) = check_settings(None)
    assert message.id == "accounts.E003"
    assert "COGNITO_GROUPS" in message.msg
    assert "writers" in message.msg


def test_rights_of_several_groups_add_up():
    mapping = GroupMapping(parse_rules({"a": ["x", "y"], "b": {"groups": "z", "staff": True}}))
    assert mapping.rights(["a", "b", "unknown"]) == Rights(frozenset("xyz"), staff=True)


def test_groups_of_federation_are_expected_and_others_are_named():
    issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI"
    named = ["eu-west-1_AbCdEfGhI_Google", "eu-west-1_Another01_Google", "cooks"]
    assert GroupMapping().unmapped(named, issuer=issuer) == named[1:]


# --- Giving and taking ----------------------------------------------------------------------------

pytestmark = pytest.mark.django_db


def test_default_lets_editors_write_stats_and_admins_do_all():
    grace = get_or_create_user(id_token("editors"))
    assert rights(grace) == ({"editors"}, False, False)
    assert grace.has_perms(["stats.add_stat", "stats.change_stat", "stats.delete_stat"])
    assert not grace.has_perm("accounts.change_user")
    ada = get_or_create_user(id_token("admins", subject="ada"))
    assert rights(ada) == (set(), True, True)


@pytest.mark.parametrize("token", [access, id_token])
def test_newer_token_gives_and_takes(token):
    user = get_or_create_user(token("editors"))
    assert rights(user)[0] == {"editors"}
    get_or_create_user(token("admins", at=NOW + 1))
    assert rights(user) == (set(), True, True)
    get_or_create_user(token(at=NOW + 2))
    assert rights(user) == (set(), False, False)


def test_older_token_changes_nothing():
    user = get_or_create_user(access(at=NOW))
    get_or_create_user(access("admins", at=NOW - 1))
    get_or_create_user(id_token("admins", at=NOW - 1))
    assert rights(user) == (set(), False, False)
    assert Identity.objects.get().groups == []


def test_access_token_of_the_same_second_takes_rights_but_gives_none():
    user = get_or_create_user(access("editors", "cooks"))
    get_or_create_user(access("cooks", "admins"))
    assert rights(user) == (set(), False, False)
    assert Identity.objects.get().groups == ["cooks"]


def test_id_token_of_the_same_second_is_the_pools_last_word():
    user = get_or_create_user(id_token("editors"))
    get_or_create_user(id_token("admins"))
    assert rights(user) == (set(), True, True)


def test_token_that_was_overtaken_while_it_waited_changes_nothing(monkeypatch):
    """Another process applies a newer token between our reading the row and writing it."""
    user = get_or_create_user(access(at=NOW))

    def overtaken(*args):
        Identity.objects.update(groups_as_of=timezone.now() + timezone.timedelta(hours=1))

    monkeypatch.setattr(groups, "_name_unmapped", overtaken)
    get_or_create_user(access("admins", at=NOW + 1))
    assert rights(user) == (set(), False, False)


def test_absent_claim_changes_nothing_where_a_lambda_may_suppress_it(mapping):
    mapping({"editors": "editors"}, absent_means_none=False)
    user = get_or_create_user(access("editors"))
    get_or_create_user(access(at=NOW + 1))
    assert rights(user)[0] == {"editors"}
    assert Identity.objects.get().groups == ["editors"]
    get_or_create_user(access(at=NOW + 2, groups=()))
    assert rights(user)[0] == set()


def test_groups_outside_the_mapping_stay():
    user = get_or_create_user(access("editors"))
    user.groups.add(Group.objects.create(name="choir"))
    get_or_create_user(access(at=NOW + 1))
    assert rights(user)[0] == {"choir"}


def test_rights_given_here_by_hand_stay():
    user = get_or_create_user(access())
    User.objects.filter(pk=user.pk).update(is_staff=True)
    get_or_create_user(access("editors", at=NOW + 1))
    get_or_create_user(access(at=NOW + 2))
    assert rights(user) == (set(), True, False)


def test_local_superuser_is_exempt():
    user = get_or_create_user(access("editors"))
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    get_or_create_user(access("admins", at=NOW + 1))
    assert rights(user) == ({"editors"}, False, True)
    get_or_create_user(access(at=NOW + 2))
    assert rights(user) == ({"editors"}, False, True)


def test_group_named_by_the_mapping_is_made_when_it_is_first_given(mapping):
    mapping({"cooks": ["kitchen", "staff room"]})
    user = get_or_create_user(access("cooks"))
    assert rights(user)[0] == {"kitchen", "staff room"}
    assert user.get_all_permissions() == set()


def test_every_change_is_recorded_and_nothing_else_is():
    user = get_or_create_user(id_token("editors"))
    get_or_create_user(id_token("editors", at=NOW + 1))
    get_or_create_user(id_token("admins", at=NOW + 2))
    events = SignInEvent.objects.filter(kind="rights_changed").order_by("pk")
    assert [event.details for event in events] == [
        {"added": "group editors"},
        {"added": "staff, superuser", "removed": "group editors"},
    ]
    assert {(event.user, event.pool_username) for event in events} == {(user, "grace")}


def test_instance_at_hand_knows_its_new_rights_at_once():
    user = get_or_create_user(id_token())
    assert not user.has_perm("stats.add_stat")
    user = get_or_create_user(id_token("editors", at=NOW + 1))
    assert user.has_perm("stats.add_stat")


def test_unmapped_group_is_named_once_and_federations_own_is_not(caplog):
    groups._log_unmapped.cache_clear()
    caplog.set_level(logging.WARNING, logger=groups.__name__)
    of_federation = f"{provider().config.pool_id}_Google"
    get_or_create_user(access("cooks", of_federation))
    get_or_create_user(access("cooks", "editors", of_federation, at=NOW + 1))
    assert caplog.text.count("cooks") == 1
    assert "Google" not in caplog.text


def test_group_without_a_rule_gives_nothing(mapping):
    """An upstream provider's users are in a group of the pool, and Django may have one like it."""
    names = [f"{provider().config.pool_id}_Google", "cooks", "admins"]
    for name in names:
        Group.objects.create(name=name)
    mapping({"editors": "editors"})
    assert rights(get_or_create_user(access(*names))) == (set(), False, False)
    assert rights(get_or_create_user(id_token(*names, at=NOW + 1))) == (set(), False, False)


def test_groups_of_federation_count_when_mapped(mapping):
    name = f"{provider().config.pool_id}_Google"
    mapping({name: "editors"})
    assert rights(get_or_create_user(access(name)))[0] == {"editors"}


def test_token_that_says_nothing_new_costs_one_query(django_assert_num_queries):
    claims = access("editors")
    user = get_or_create_user(claims)
    with django_assert_num_queries(1):
        groups.apply_groups(user, claims)


# --- Several pools --------------------------------------------------------------------------------

OTHER_POOL = "eu-west-1_Partner01"
OTHER_ISSUER = f"https://cognito-idp.eu-west-1.amazonaws.com/{OTHER_POOL}"


def test_admins_of_a_trusted_pool_are_nobody_here_unless_it_has_rules(mapping):
    trusted = {OTHER_POOL: {"clients": ["4client"]}}
    admins = {"admins": {"staff": True, "superuser": True}}
    mapping(admins, TRUSTED_POOLS=trusted)
    stranger = get_or_create_user(access("admins", issuer=OTHER_ISSUER))
    assert rights(stranger) == (set(), False, False)
    mapping(admins, TRUSTED_POOLS={OTHER_POOL: {**trusted[OTHER_POOL], "groups": {"admins": "x"}}})
    get_or_create_user(access("admins", issuer=OTHER_ISSUER, at=NOW + 1))
    assert rights(stranger) == ({"x"}, False, False)


def test_one_pool_does_not_take_what_another_gives(mapping):
    rules = {"editors": "editors"}
    mapping(rules, TRUSTED_POOLS={OTHER_POOL: {"clients": ["4client"], "groups": rules}})
    user = get_or_create_user(access("editors"))
    Identity.objects.create(user=user, issuer=OTHER_ISSUER, subject=SHARED["subject"])
    get_or_create_user(access(issuer=OTHER_ISSUER))
    assert rights(user)[0] == {"editors"}
    get_or_create_user(access(at=NOW + 1))
    assert rights(user)[0] == set()


def test_claims_are_not_applied_to_somebody_else():
    get_or_create_user(access("editors"))
    stranger = User.objects.create_user("stranger")
    groups.apply_groups(stranger, dataclasses.replace(access("admins"), issued_at=NOW + 5))
    assert rights(stranger) == (set(), False, False)
