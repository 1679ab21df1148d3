"""A pool that switches its issuer while users are signed in, and servers of which one knows it.

The settings of this process play the role of each server. All servers share the database.
"""

import time
from datetime import timedelta

import pytest
import requests
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Identity, Revocation, SignIn, User
from accounts.sessions.deactivation import set_active
from accounts.testing import mint_access_token, subject_of
from accounts.tokens import revocation_feed
from tests.accounts.earlier_version import insert_identity, insert_revocation, insert_sign_in
from tests.flows.sessions.conftest import until_expired
from tests.flows.test_browser import sign_in_as

pytestmark = pytest.mark.django_db

POOL = "eu-west-1_AbCdEf123"
ORIGINAL, UPDATED = (
    f"https://{host}.eu-west-1.amazonaws.com/{POOL}"
    for host in ("cognito-idp", "issuer-cognito-idp")
)
# There, back, and in the middle of it: two servers in turn.
SWITCHES = [(ORIGINAL, UPDATED), (UPDATED, ORIGINAL), (ORIGINAL, UPDATED, ORIGINAL, UPDATED)]


@pytest.fixture
def use(settings, cognito):
    """A function that makes this process the server with this issuer, with an empty memory."""

    def use(issuer):
        pool = {"POOL_ID": POOL, "ISSUER": issuer, "JWKS_URL": "", "CLIENT_REGION": ""}
        settings.COGNITO = {**settings.COGNITO, **pool, "CLIENT_DOMAIN": "my-team"}
        revocation_feed.reset()

    use(ORIGINAL)
    return use


def make_renewal_due():
    past = timezone.now() - timedelta(minutes=1)
    SignIn.objects.update(access_expires_at=past, renew_at=past)


def call_api(client, username="ada", **options):
    client.bear(mint_access_token(username, **options))
    return client.get("/api/user")


@pytest.mark.parametrize("issuers", SWITCHES)
def test_signed_in_browser_stays_signed_in(use, cognito_client, issuers):
    use(issuers[0])
    client = cognito_client("ada", bearer=False)
    sign_in, user = SignIn.objects.get(), client.user
    for issuer in issuers[1:]:
        use(issuer)
        make_renewal_due()
        assert client.get("/profile/").status_code == 200
        assert SignIn.objects.live().get().pk == sign_in.pk
        assert SignIn.objects.get().access_expires_at > timezone.now()
        assert client.user == user
    assert (User.objects.count(), Identity.objects.count()) == (1, 1)


@pytest.mark.parametrize("issuers", SWITCHES)
def test_each_way_in_leads_to_the_same_account(use, cognito_client, issuers):
    users = set()
    for issuer in issuers:
        use(issuer)
        users.add(cognito_client("ada", bearer=False).user.pk)
        client = cognito_client.anonymous()
        assert call_api(client).json()["identity"]["sub"] == subject_of("ada")
    assert len(users) == User.objects.count() == Identity.objects.count() == 1
    assert Identity.objects.get().issuer == issuers[0]


@pytest.mark.parametrize("issuers", SWITCHES[:2])
def test_sign_out_everywhere_revokes_the_tokens_of_both_issuers(use, cognito_client, issuers):
    use(issuers[0])
    user = cognito_client("ada", bearer=False).user
    call_command("cognito_sign_out_user", user.username)
    client, now = cognito_client.anonymous(), int(time.time())
    for issuer in issuers:
        use(issuer)
        assert call_api(client, claims={"iat": now - 10}).status_code == 401
        assert call_api(client, claims={"iat": now + 10}).status_code == 200
    assert User.objects.count() == 1


@pytest.mark.parametrize("issuers", SWITCHES[:2])
def test_deactivated_user_gets_in_under_neither_issuer(use, cognito_client, issuers):
    use(issuers[0])
    client = cognito_client("ada", bearer=False)
    user = client.user
    user.is_active = False
    user.save()
    for issuer in issuers:
        use(issuer)
        assert call_api(cognito_client.anonymous()).status_code in (401, 403)
        with pytest.raises(AssertionError, match="was not signed in"):
            cognito_client("ada", bearer=False)
    assert User.objects.count() == 1
    User.objects.filter(pk=user.pk).update(is_active=True)
    use(issuers[1])
    assert cognito_client("ada", bearer=False).user == user


@pytest.mark.parametrize("issuers", SWITCHES[:2])
def test_rights_by_hand_and_from_groups_hold(use, cognito_client, issuers, settings):
    use(issuers[0])
    user = cognito_client("ada", groups=["editors"], bearer=False).user
    user.is_staff = True
    user.save()
    use(issuers[1])
    client = cognito_client("ada", groups=["editors"], bearer=False)
    assert client.user.is_staff
    assert client.get("/api/user").json()["data"]["groups"] == ["editors"]
    assert [group.name for group in client.user.groups.all()] == ["editors"]
    client = cognito_client("ada", bearer=False)  # the pool revokes what it gave
    assert (client.user.is_staff, client.user.groups.count()) == (True, 0)


@pytest.mark.parametrize("issuers", SWITCHES[:2])
def test_link_to_an_existing_user_holds(use, cognito_client, issuers):
    use(issuers[0])
    user = User.objects.create_user("mary")
    Identity.objects.create(user=user, issuer=issuers[0], subject=subject_of("ada"))
    use(issuers[1])
    assert cognito_client("ada", bearer=False).user == user
    assert User.objects.count() == 1


def test_token_of_another_pool_is_still_another_user(use, cognito_client, settings):
    use(UPDATED)
    user = cognito_client("ada", bearer=False).user
    trusted = {"us-east-1_Foreign01": {"clients": ["3examplepartner12345"]}}
    settings.COGNITO = {**settings.COGNITO, "TRUSTED_POOLS": trusted}
    claims = {"client_id": "3examplepartner12345"}
    response = call_api(cognito_client.anonymous(), foreign=True, claims=claims)
    assert response.status_code == 200
    assert Identity.objects.exclude(user=user).get().pool_id == "us-east-1_Foreign01"


class TestLiveSwitch:
    """The pool switches its issuer. The settings of the site stay the same."""

    @pytest.mark.parametrize(
        "commands", [["issuer updated", "issuer original"], ["issuer both"] * 3]
    )
    def test_browser_and_tokens_keep_their_account(self, visitor, new_visitor, commands):
        tokens = [visitor.pool.tokens_for("ada")]
        visitor.sign_in()
        sign_in = SignIn.objects.get()
        for command in commands:
            visitor.pool.do(command)
            tokens.append(visitor.pool.tokens_for("ada"))
            until_expired()
            assert visitor.is_signed_in
            assert SignIn.objects.get(pk=sign_in.pk).ended_at is None
            for issued in tokens:
                assert bear(visitor, issued).status_code == 200
        another = new_visitor()
        another.sign_in()
        assert another.is_signed_in
        assert User.objects.count() == Identity.objects.count() == 1

    @pytest.mark.browser
    def test_user_in_a_browser_notices_neither_the_switch_nor_new_keys(self, page, site, pool):
        sign_in_as(page, site)
        visited = []
        page.on("framenavigated", lambda frame: visited.append(frame.url))
        for command in ("issuer updated", "rotate-keys", "issuer original"):
            pool.do(command)
            until_expired()
            page.goto(f"{site}/profile/")
            expect(page.get_by_role("main")).to_contain_text("Ada Lovelace")
        assert {url for url in visited if url.startswith(pool.url)} == set()
        page.get_by_role("button", name="Sign out", exact=True).click()
        page.wait_for_url(f"{site}/signout")
        sign_in_as(page, site)
        assert User.objects.count() == Identity.objects.count() == 1

    def test_sign_out_everywhere_revokes_tokens_of_the_earlier_issuer(self, visitor):
        before = visitor.pool.tokens_for("ada")
        visitor.sign_in()
        visitor.pool.do("issuer updated")
        after = visitor.pool.tokens_for("ada")
        assert [bear(visitor, tokens).status_code for tokens in (before, after)] == [200, 200]
        call_command("cognito_sign_out_user", User.objects.get().username)
        revocation_feed.reset()
        assert [bear(visitor, tokens).status_code for tokens in (before, after)] == [401, 401]
        assert not visitor.is_signed_in

    def test_deactivated_user_and_rights_by_hand_stay(self, visitor):
        visitor.sign_in("grace")
        grace = User.objects.get()
        visitor.sign_out()
        grace.is_staff = True
        grace.save()
        visitor.pool.do("issuer updated")
        visitor.sign_in("grace")
        assert visitor.is_signed_in
        assert User.objects.get().is_staff
        set_active(User.objects.get(), False)
        revocation_feed.reset()
        assert not visitor.is_signed_in
        for command in ("issuer original", "issuer updated"):
            visitor.pool.do(command)
            assert visitor.sign_in("grace").status_code == 403
            assert bear(visitor, visitor.pool.tokens_for("grace")).status_code in (401, 403)
        assert User.objects.count() == 1


def bear(visitor, tokens):
    authorization = f"Bearer {tokens['access_token']}"
    headers = {"Authorization": authorization}
    return requests.get(f"{visitor.site}/api/user", headers=headers, timeout=60)


class TestEarlierVersion:
    """Servers of the earlier version store rows without a pool ID, during and after migration."""

    @pytest.fixture
    def user(self):
        return User.objects.create_user("user-1")

    @pytest.mark.parametrize("issuer", [ORIGINAL, UPDATED])
    @pytest.mark.parametrize("bearer", [True, False])
    def test_its_user_gets_no_second_account(self, use, cognito_client, user, issuer, bearer):
        identity = insert_identity(user, ORIGINAL, subject_of("ada"))
        use(issuer)
        if bearer:
            assert call_api(cognito_client.anonymous()).status_code == 200
        else:
            assert cognito_client("ada", bearer=False).user == user
        identity.refresh_from_db()
        assert (identity.pool_id, User.objects.count()) == (POOL, 1)

    def test_its_sign_in_is_renewed(self, use, cognito_client):
        client = cognito_client("ada", bearer=False)
        values = SignIn.objects.values().get()
        user, subject = client.user, values["subject"]
        SignIn.objects.all().delete()
        Identity.objects.all().delete()
        insert_identity(user, ORIGINAL, subject)
        names = ("key", "client_id", "origin_jti", "auth_time", "sealed_tokens")
        insert_sign_in(user, ORIGINAL, subject, **{name: values[name] for name in names})
        make_renewal_due()
        use(UPDATED)
        assert client.get("/profile/").status_code == 200
        assert SignIn.objects.live().get().access_expires_at > timezone.now()
        assert Identity.objects.get().pool_id == POOL

    def test_its_sign_out_everywhere_holds(self, use, cognito_client, user):
        Identity.objects.create(user=user, issuer=ORIGINAL, subject=subject_of("ada"))
        now = int(time.time())
        key = ORIGINAL, subject_of("ada")
        insert_revocation(Revocation.Kind.USER, *key, not_before=now)
        client = cognito_client.anonymous()
        for issuer in (ORIGINAL, UPDATED):
            use(issuer)
            assert call_api(client, claims={"iat": now - 1}).status_code == 401
            assert call_api(client, claims={"iat": now + 1}).status_code == 200

    def test_its_deactivation_holds(self, use, cognito_client, user):
        insert_identity(user, ORIGINAL, subject_of("ada"))
        User.objects.update(is_active=False)
        for issuer in (ORIGINAL, UPDATED):
            use(issuer)
            assert call_api(cognito_client.anonymous()).status_code in (401, 403)
        assert User.objects.count() == 1

    def test_it_reads_the_revocations_of_this_version_by_issuer(self, use, cognito_client):
        user = cognito_client("ada", bearer=False).user
        use(UPDATED)
        call_command("cognito_sign_out_user", user.username)
        revocation = Revocation.objects.get(kind=Revocation.Kind.USER)
        assert (revocation.issuer, revocation.subject) == (ORIGINAL, subject_of("ada"))

    def test_it_finds_the_accounts_of_this_version_by_issuer(self, use, cognito_client):
        cognito_client("ada", bearer=False)
        use(UPDATED)
        cognito_client("ada", bearer=False)
        assert Identity.objects.filter(issuer=ORIGINAL, subject=subject_of("ada")).exists()
