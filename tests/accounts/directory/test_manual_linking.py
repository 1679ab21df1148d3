"""Identities of two pools belong to one user only if an operator links them."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.directory import manual_linking
from accounts.models import Identity, SignIn, SignInEvent, User
from accounts.problems.errors import LinkError
from accounts.testing import signed_in, subject_of
from accounts.tokens import revocation_feed
from local_pool.testing import LocalPool
from tests.flows.conftest import ENVIRONMENT_NAMES
from tests.host.models import Article, Team

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def pools():
    """Our own pool and that of a partner: both have a user with the username grace."""
    with LocalPool() as own, LocalPool(id="local-2_Partner01") as partner:
        yield own, partner


@pytest.fixture
def own(pools, settings):
    own, partner = pools
    environment = own.env()
    trusted = {
        "clients": [partner.client_id],
        "issuer": partner.issuer,
        "jwks_url": f"{partner.issuer}/.well-known/jwks.json",
        "groups": {"editors": "partners"},
    }
    settings.COGNITO = {
        **settings.COGNITO,
        **{key: environment.get(name, "") for key, name in ENVIRONMENT_NAMES.items()},
        "TRUSTED_POOLS": {partner.pool_id: trusted},
    }
    return own


@pytest.fixture
def partner(pools, own):
    return pools[1]


@pytest.fixture
def grace(own):
    user = User.objects.create_user("person-grace", email="grace@example.com")
    Identity.objects.create(
        user=user, issuer=own.issuer, subject=own.get_user("grace").sub, username="grace"
    )
    return user


def link(*arguments):
    output = StringIO()
    call_command("cognito_link_users", *arguments, stdout=output)
    return output.getvalue()


def link_grace(partner, *options):
    subject = partner.get_user("grace").sub
    return link("person-grace", "--pool", partner.pool_id, "--sub", subject, *options)


def call_api(client, tokens):
    authorization = f"Bearer {tokens['access_token']}"
    return client.get("/api/user", headers={"authorization": authorization})


def test_identities_of_two_pools_have_two_users_until_they_are_linked(grace, partner, client):
    tokens = partner.tokens_for("grace")
    assert call_api(client, tokens).status_code == 200
    link("--apply")
    assert User.objects.count() == Identity.objects.count() == 2


def test_dry_run_shows_the_link_and_does_not_create_it(grace, partner):
    output = link_grace(partner)
    assert f"+  {partner.get_user('grace').sub} at {partner.pool_id}\n" in output
    assert "   link to grace@example.com (person-grace)\n" in output
    assert "add --apply" in output
    assert Identity.objects.count() == 1


def test_linked_identity_acts_as_the_user_with_the_rights_of_both(grace, partner, client):
    assert "Linked." in link_grace(partner, "--apply")
    assert call_api(client, partner.tokens_for("grace")).status_code == 200
    assert User.objects.get() == grace
    assert grace.groups.get().name == "partners"
    event = SignInEvent.objects.get(kind="linked")
    assert (event.user, event.reason) == (grace, "operator")
    assert event.details["issuer"] == partner.issuer
    with pytest.raises(CommandError, match="is already linked to person-grace"):
        link_grace(partner, "--apply")


def test_empty_user_of_the_identity_is_deleted(grace, partner, client):
    tokens = partner.tokens_for("grace")
    assert call_api(client, tokens).status_code == 200
    earlier = User.objects.exclude(pk=grace.pk).get()
    before = SignInEvent.objects.filter(user=earlier).count()
    assert before
    assert f"-  {earlier.username}: the empty user of this identity" in link_grace(partner)
    assert "Linked." in link_grace(partner, "--apply")
    assert User.objects.get() == grace
    assert SignInEvent.objects.filter(user=grace).count() > before
    assert SignInEvent.objects.get(kind="linked").details["instead_of"] == earlier.username
    assert call_api(client, tokens).status_code == 401  # it acted as the deleted user
    Identity.objects.get(issuer=partner.issuer, groups=[], user=grace)


@pytest.mark.parametrize(
    "add",
    [
        lambda user: Article.objects.create(author=user, title="Of moths"),
        lambda user: Team.objects.create(name="Compilers").members.add(user),
        lambda user: user.groups.create(name="set by hand"),
        lambda user: User.objects.filter(pk=user.pk).update(is_staff=True),
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
        lambda user: User.objects.filter(pk=user.pk).update(password="md5$a$b"),
        lambda user: Identity.objects.create(user=user, issuer="https://else.example", subject="1"),
    ],
)
def test_user_with_data_or_rights_keeps_the_identity(grace, partner, client, add):
    call_api(client, partner.tokens_for("grace"))
    earlier = User.objects.exclude(pk=grace.pk).get()
    add(earlier)
    with pytest.raises(
        CommandError, match=r"This identity is linked to user-.*Nothing was changed\.$"
    ):
        link_grace(partner, "--apply")
    assert Identity.objects.get(issuer=partner.issuer).user == earlier
    assert not SignInEvent.objects.filter(kind="linked").exists()


def test_user_has_one_identity_of_each_pool_at_most(grace, own, partner):
    link_grace(partner, "--apply")
    for name, pool in ((partner.issuer, partner), (own.pool_id, own)):
        with pytest.raises(CommandError, match="only one identity of each pool"):
            link("person-grace", "--pool", name, "--sub", pool.get_user("ada").sub, "--apply")


def test_user_id_must_exist_in_our_own_pool(own):
    User.objects.create_user("mary")
    with pytest.raises(
        CommandError, match=r"The pool has no user with the user ID \(sub\) nonsense"
    ):
        link("mary", "--pool", own.pool_id, "--sub", "nonsense", "--apply")
    output = link("mary", "--pool", own.pool_id, "--sub", own.get_user("linus").sub, "--apply")
    assert "linus <linus@example.com>" in output
    assert Identity.objects.get().username == "linus"


def test_deactivated_user_unknown_pool_and_missing_options_are_refused(grace, partner):
    with pytest.raises(CommandError, match=r"Its pools are local-1_\w+, local-2_Partner01"):
        link("person-grace", "--pool", "eu-west-1_Unknown01", "--sub", "1")
    with pytest.raises(CommandError, match="exactly one NAME with --pool and --sub"):
        link("person-grace", "--pool", partner.pool_id)
    with pytest.raises(CommandError, match="exactly one NAME with --pool and --sub"):
        link("--pool", partner.pool_id, "--sub", "1")
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="is deactivated"):
        link_grace(partner)


def test_second_of_two_operators_is_refused(grace, partner):
    pending_link = manual_linking.prepare_link(
        grace,
        pool=manual_linking.resolve_pool(partner.pool_id),
        subject=partner.get_user("grace").sub,
    )
    link_grace(partner, "--apply")
    with pytest.raises(LinkError, match="in the meantime"):
        manual_linking.create_link(pending_link)
    assert Identity.objects.filter(issuer=partner.issuer).count() == 1


def test_unlinking_revokes_the_rights_that_the_identity_granted(grace, partner, client):
    link_grace(partner, "--apply")
    tokens = partner.tokens_for("grace")
    assert call_api(client, tokens).status_code == 200
    assert grace.groups.exists()
    output = link_grace(partner, "--undo")
    assert "other identities of the user: 1\n" in output
    assert call_api(client, tokens).status_code == 200
    assert "Unlinked." in link_grace(partner, "--undo", "--apply")
    assert not grace.groups.exists()
    assert Identity.objects.get().user == grace
    event = SignInEvent.objects.get(kind="unlinked")
    assert (event.user, event.details["issuer"]) == (grace, partner.issuer)
    revocation_feed.reset()  # as it happens after one second
    assert call_api(client, tokens).status_code == 401
    with pytest.raises(CommandError, match="is not linked to person-grace"):
        link_grace(partner, "--undo", "--apply")


def test_unlinking_ends_only_the_sign_ins_of_that_identity(own, cognito_client):
    user = cognito_client("grace").user
    subject = Identity.objects.get().subject
    other = SignIn.objects.get()
    other.pk, other.key = None, "another"
    other.pool_id, other.issuer = "", "https://else.example"
    other.save()
    link(user.username, "--pool", own.pool_id, "--sub", subject, "--undo", "--apply")
    assert [sign_in.issuer for sign_in in SignIn.objects.live()] == ["https://else.example"]
    assert not Identity.objects.exists()


def test_link_by_a_known_id_needs_no_pool_and_can_be_repeated(cognito):
    mary, other = (User.objects.create_user(name) for name in ("mary", "other"))
    for _ in range(2):
        manual_linking.link_user(mary, subject_of("mary"))
    assert SignInEvent.objects.get(kind="linked").reason == "import"
    with pytest.raises(LinkError, match="already linked to mary"):
        manual_linking.link_user(other, subject_of("mary"))
    with pytest.raises(LinkError, match="mary is already linked"):
        manual_linking.link_user(mary, "another-sub")
    assert cognito.calls == []
    assert signed_in("mary", cognito=cognito).user == mary
