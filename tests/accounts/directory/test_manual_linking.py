"""Two pools share a person when an operator says so, and never otherwise."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.directory import manual_linking
from accounts.models import Identity, SignIn, SignInEvent, User
from accounts.problems.errors import LinkRefused
from accounts.tokens import revocation_feed
from local_pool.testing import LocalPool
from tests.flows.conftest import ENVIRONMENT_NAMES
from tests.host.models import Article, Team

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def pools():
    """Our own and a partner's, where somebody else is called grace, too."""
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
    said = StringIO()
    call_command("link_users", *arguments, stdout=said)
    return said.getvalue()


def link_grace(partner, *more):
    subject = partner.get_user("grace").sub
    return link("person-grace", "--pool", partner.pool_id, "--sub", subject, *more)


def caller(client, tokens):
    authorization = f"Bearer {tokens['access_token']}"
    return client.get("/api/user", headers={"authorization": authorization})


def test_people_of_two_pools_stay_two_until_they_are_linked(grace, partner, client):
    tokens = partner.tokens_for("grace")
    assert caller(client, tokens).status_code == 200
    link("--apply")
    assert User.objects.count() == Identity.objects.count() == 2


def test_dry_run_shows_the_link_and_makes_none(grace, partner):
    said = link_grace(partner)
    assert f"+  {partner.get_user('grace').sub} at {partner.issuer}\n" in said
    assert "   is grace@example.com (person-grace)\n" in said
    assert "add --apply" in said
    assert Identity.objects.count() == 1


def test_linked_identity_speaks_for_the_person_with_the_rights_of_both(grace, partner, client):
    assert "Linked." in link_grace(partner, "--apply")
    assert caller(client, partner.tokens_for("grace")).status_code == 200
    assert User.objects.get() == grace
    assert grace.groups.get().name == "partners"
    event = SignInEvent.objects.get(kind="linked")
    assert (event.user, event.reason) == (grace, "operator")
    assert event.details["issuer"] == partner.issuer
    with pytest.raises(CommandError, match="is person-grace already"):
        link_grace(partner, "--apply")


def test_account_that_came_about_before_gives_way(grace, partner, client):
    tokens = partner.tokens_for("grace")
    assert caller(client, tokens).status_code == 200
    earlier = User.objects.exclude(pk=grace.pk).get()
    before = SignInEvent.objects.filter(user=earlier).count()
    assert before
    assert f"-  {earlier.username}, who is this identity so far" in link_grace(partner)
    assert "Linked." in link_grace(partner, "--apply")
    assert User.objects.get() == grace
    assert SignInEvent.objects.filter(user=grace).count() > before
    assert SignInEvent.objects.get(kind="linked").details["instead_of"] == earlier.username
    assert caller(client, tokens).status_code == 401  # it spoke for an account that is gone
    Identity.objects.get(issuer=partner.issuer, groups=[], user=grace)


@pytest.mark.parametrize(
    "has",
    [
        lambda user: Article.objects.create(author=user, title="Of moths"),
        lambda user: Team.objects.create(name="Compilers").members.add(user),
        lambda user: user.groups.create(name="given here by hand"),
        lambda user: User.objects.filter(pk=user.pk).update(is_staff=True),
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
        lambda user: User.objects.filter(pk=user.pk).update(password="md5$a$b"),
        lambda user: Identity.objects.create(user=user, issuer="https://else.example", subject="1"),
    ],
)
def test_account_that_holds_something_keeps_its_identity(grace, partner, client, has):
    caller(client, partner.tokens_for("grace"))
    earlier = User.objects.exclude(pk=grace.pk).get()
    has(earlier)
    with pytest.raises(CommandError, match=r"This identity is person-.*Nothing was changed\.$"):
        link_grace(partner, "--apply")
    assert Identity.objects.get(issuer=partner.issuer).user == earlier
    assert not SignInEvent.objects.filter(kind="linked").exists()


def test_person_is_one_of_each_pool(grace, own, partner):
    link_grace(partner, "--apply")
    for name, pool in ((partner.issuer, partner), (own.pool_id, own)):
        with pytest.raises(CommandError, match="nobody is two people of one pool"):
            link("person-grace", "--pool", name, "--sub", pool.get_user("ada").sub, "--apply")


def test_our_own_pool_must_know_the_user_id(own):
    User.objects.create_user("mary")
    with pytest.raises(CommandError, match="The pool has nobody with the user id nonsense"):
        link("mary", "--pool", own.pool_id, "--sub", "nonsense", "--apply")
    said = link("mary", "--pool", own.pool_id, "--sub", own.get_user("linus").sub, "--apply")
    assert "linus <linus@example.com>" in said
    assert Identity.objects.get().username == "linus"


def test_deactivated_person_unknown_pool_and_half_a_command_are_refused(grace, partner):
    with pytest.raises(CommandError, match=r"its pools are local-1_\w+, local-2_Partner01"):
        link("person-grace", "--pool", "eu-west-1_Unknown01", "--sub", "1")
    with pytest.raises(CommandError, match="belong together"):
        link("person-grace", "--pool", partner.pool_id)
    with pytest.raises(CommandError, match="belong together"):
        link("--pool", partner.pool_id, "--sub", "1")
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="is deactivated"):
        link_grace(partner)


def test_second_of_two_operators_is_refused(grace, partner):
    found = manual_linking.pool_link(
        grace, issuer=partner.issuer, subject=partner.get_user("grace").sub
    )
    link_grace(partner, "--apply")
    with pytest.raises(LinkRefused, match="just now"):
        manual_linking.make_pool_link(found)
    assert Identity.objects.filter(issuer=partner.issuer).count() == 1


def test_link_is_undone_with_the_rights_it_gave(grace, partner, client):
    link_grace(partner, "--apply")
    tokens = partner.tokens_for("grace")
    assert caller(client, tokens).status_code == 200
    assert grace.groups.exists()
    said = link_grace(partner, "--undo")
    assert "other identities they have: 1\n" in said
    assert caller(client, tokens).status_code == 200
    assert "Undone." in link_grace(partner, "--undo", "--apply")
    assert not grace.groups.exists()
    assert Identity.objects.get().user == grace
    event = SignInEvent.objects.get(kind="unlinked")
    assert (event.user, event.details["issuer"]) == (grace, partner.issuer)
    revocation_feed.reset()  # or a second later
    assert caller(client, tokens).status_code == 401
    with pytest.raises(CommandError, match="is not person-grace"):
        link_grace(partner, "--undo", "--apply")


def test_undoing_ends_the_sessions_of_that_identity_alone(own, cognito_client):
    user = cognito_client("grace").user
    subject = Identity.objects.get().subject
    other = SignIn.objects.get()
    other.pk, other.key, other.issuer = None, "another", "https://else.example"
    other.save()
    link(user.username, "--pool", own.pool_id, "--sub", subject, "--undo", "--apply")
    assert [row.issuer for row in SignIn.objects.live()] == ["https://else.example"]
    assert not Identity.objects.exists()
