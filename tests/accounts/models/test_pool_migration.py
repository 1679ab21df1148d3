"""The migration that keys identities by pool and subject, on data of the version before it."""

from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from accounts.models import Identity, Revocation, SignIn

pytestmark = pytest.mark.django_db(transaction=True)

POOL = "eu-west-1_AbCdEf123"
ORIGINAL, UPDATED = (
    f"https://{host}.eu-west-1.amazonaws.com/{POOL}"
    for host in ("cognito-idp", "issuer-cognito-idp")
)
EARLIER, LATER = "0001_initial", "0003_identity_auth_not_before"


def migrate(name):
    executor = MigrationExecutor(connection)
    executor.migrate([("accounts", name)])
    return executor.loader.project_state([("accounts", name)]).apps


@pytest.fixture
def earlier(transactional_db):
    """Functions that store rows with the models of the earlier version."""
    apps = migrate(EARLIER)

    def user(name, **fields):
        return apps.get_model("accounts", "User").objects.create(username=name, **fields)

    def identity(user, issuer=ORIGINAL, subject="ada"):
        model = apps.get_model("accounts", "Identity")
        return model.objects.create(user=user, issuer=issuer, subject=subject).pk

    def sign_in(user, issuer=ORIGINAL, subject="ada", **fields):
        now = timezone.now()
        times = {"access_expires_at": now + timedelta(hours=1), "renew_at": now}
        model = apps.get_model("accounts", "SignIn")
        key = {"issuer": issuer, "subject": subject}
        return model.objects.create(user=user, **key, **times, sealed_tokens="sealed", **fields).pk

    yield SimpleNamespace(apps=apps, user=user, identity=identity, sign_in=sign_in)
    migrate(LATER)


POOL_IDS = {
    ORIGINAL: POOL,
    UPDATED: POOL,
    f"https://cognito-idp.us-east-2.amazonaws.com/{POOL}": POOL,  # a replica's
    "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_Ab1": "cn-north-1_Ab1",
    "http://localhost:9000/local-1_DevPool01": "local-1_DevPool01",
    "http://localhost:9000/updated/local-1_DevPool01": "local-1_DevPool01",
    "https://sso.example.com/realm": "https://sso.example.com/realm",
    "https://sso.example.com": "https://sso.example.com",
    "": "",
}


def test_pool_id_is_the_end_of_the_issuer(earlier):
    for subject, issuer in enumerate(POOL_IDS):
        user = earlier.user(f"user-{subject}")
        earlier.identity(user, issuer, str(subject))
        earlier.sign_in(user, issuer, str(subject), key=str(subject))
        earlier.apps.get_model("accounts", "Revocation").objects.create(
            kind="user", issuer=issuer, subject=str(subject), expires_at=timezone.now()
        )
    migrate(LATER)
    for model in (Identity, SignIn, Revocation):
        assert dict(model.objects.values_list("issuer", "pool_id")) == POOL_IDS


def test_users_of_two_pools_are_not_several_accounts_of_one(earlier):
    partner = ORIGINAL.replace(POOL, "eu-west-1_Partner12")
    first, second = earlier.user("user-1"), earlier.user("user-2")
    earlier.identity(first)
    earlier.identity(second, partner)
    earlier.sign_in(second, partner)
    migrate(LATER)
    assert set(Identity.objects.values_list("pool_id", flat=True)) == {POOL, partner[-19:]}
    assert not Identity.objects.set_aside()
    assert SignIn.objects.live().count() == 1


PAIRS = [  # the fields of two accounts of one pool user, and the one that is used
    ({}, {}, "older"),
    ({}, {"is_active": False}, "newer"),
    ({"is_active": False}, {}, "older"),
    ({"is_superuser": True}, {"is_active": False}, "newer"),
    ({"is_staff": True}, {"is_superuser": True}, "newer"),
    ({}, {"is_staff": True}, "newer"),
    ({"is_staff": True}, {"is_staff": True}, "older"),
]


@pytest.mark.parametrize("issuers", [(ORIGINAL, UPDATED), (UPDATED, ORIGINAL)])
def test_one_of_two_accounts_is_used_and_both_are_kept(earlier, issuers):
    keys = {}
    for subject, (older, newer, _) in enumerate(PAIRS):
        pair = {"older": older, "newer": newer}
        for (name, fields), issuer in zip(pair.items(), issuers, strict=True):
            user = earlier.user(f"{name}-{subject}", **fields)
            identity = earlier.identity(user, issuer, str(subject))
            sign_in = earlier.sign_in(user, issuer, str(subject), key=f"{name}-{subject}")
            keys[name, subject] = identity, sign_in
    migrate(LATER)
    for subject, (*fields, used) in enumerate(PAIRS):
        other = {"older": "newer", "newer": "older"}[used]
        chosen = Identity.objects.get(pk=keys[used, subject][0])
        aside = Identity.objects.get(pk=keys[other, subject][0])
        assert (chosen.user.username, chosen.pool_id) == (f"{used}-{subject}", POOL), fields
        assert (aside.user.username, aside.pool_id) == (f"{other}-{subject}", aside.issuer)
        for issuer in (ORIGINAL, UPDATED):
            token = SimpleNamespace(pool_id=POOL, issuer=issuer, subject=str(subject))
            assert Identity.objects.get_exact(token) == chosen
        assert aside in Identity.objects.set_aside()
        assert aside.successor == chosen
        assert SignIn.objects.live().get(subject=str(subject)).pk == keys[used, subject][1]
        ended = SignIn.objects.get(pk=keys[other, subject][1])
        assert (ended.end_reason, ended.sealed_tokens) == ("set_aside", "")
    assert Identity.objects.set_aside().count() == len(PAIRS)


def test_only_browsers_of_the_account_that_is_set_aside_are_signed_out(earlier):
    older, newer = earlier.user("older"), earlier.user("newer")
    earlier.identity(older)
    earlier.identity(newer, UPDATED)
    partner = "https://partner.example/realm"
    earlier.identity(newer, partner, "other")
    earlier.sign_in(newer, UPDATED, key="aside")
    earlier.sign_in(newer, partner, "other", key="partner")
    earlier.sign_in(newer, "", "", key="break-glass")
    migrate(LATER)
    live = SignIn.objects.live().values_list("key", flat=True)
    assert set(live) == {"partner", "break-glass"}


def test_two_identities_of_one_user_stay_with_the_user(earlier):
    user = earlier.user("user-1")
    first = earlier.identity(user)
    earlier.identity(user, UPDATED)
    earlier.sign_in(user, UPDATED)
    migrate(LATER)
    assert Identity.objects.get(pool_id=POOL).pk == first
    assert not Identity.objects.set_aside()
    assert SignIn.objects.live().get().identity.pk == first


def test_migration_can_be_reversed_and_applied_again(earlier):
    older, newer = earlier.user("older"), earlier.user("newer")
    earlier.identity(older)
    earlier.identity(newer, UPDATED)
    migrate(LATER)
    apps = migrate(EARLIER)
    rows = apps.get_model("accounts", "Identity").objects.order_by("pk")
    assert list(rows.values_list("user", "issuer")) == [(older.pk, ORIGINAL), (newer.pk, UPDATED)]
    migrate(LATER)
    assert Identity.objects.get(pool_id=POOL).user_id == older.pk


def test_accounts_are_set_aside_in_batches(earlier, monkeypatch):
    migration = import_module("accounts.migrations.0002_pool_id")
    monkeypatch.setattr(migration, "BATCH_SIZE", 2)
    for number in range(5):
        for issuer in (ORIGINAL, UPDATED):
            user = earlier.user(f"{issuer}-{number}")
            earlier.identity(user, issuer, f"subject-{number}")
    migrate(LATER)
    assert (
        Identity.objects.filter(pool_id=POOL).count() == Identity.objects.set_aside().count() == 5
    )


def test_user_model_without_the_flags_of_django_is_supported():
    migration = import_module("accounts.migrations.0002_pool_id")
    assert not migration.has(Revocation, "is_active")
    assert sorted([{"pk": 2}, {"pk": 1}], key=migration.precedence) == [{"pk": 1}, {"pk": 2}]
