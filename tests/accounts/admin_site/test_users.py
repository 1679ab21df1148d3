"""A person's page in the admin, and what staff do there."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.directory import reconciliation
from accounts.models import Identity, SignIn, SignInEvent, User
from local_pool.testing import LocalPool
from tests.accounts.pools import use_pool

pytestmark = pytest.mark.django_db
LIST = reverse("admin:accounts_user_changelist")
INVITATIONS = reverse("admin:accounts_invitations")


@pytest.fixture
def pool(settings):
    with LocalPool() as running:
        use_pool(settings, running)
        yield running


@pytest.fixture
def grace(cognito_client):
    return cognito_client("grace", groups=["editors", "reading-circle"], email="g@example.com").user


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator"))
    return client


def page_of(user):
    return reverse("admin:accounts_user_change", args=[user.pk])


def act(client, name, user):
    form = {"action": name, "_selected_action": [user.pk], "from_person": user.pk}
    return client.post(LIST, form, follow=True)


def test_page_shows_identity_rights_sessions_and_events(operator, grace):
    page = operator.get(page_of(grace)).text
    identity = Identity.objects.get(user=grace)
    for text in (identity.subject, identity.issuer, "g@example.com", "Group editors"):
        assert text in page
    assert "<td>Group editors</td><td>editors of the pool</td>" in page
    assert "reading-circle of the pool, which is not mapped" in page
    assert "<td>signed in</td>" in page
    assert SignIn.objects.get(user=grace).reference in page


def test_page_leads_to_the_whole_record_of_the_person(operator, grace, client):
    SignInEvent.objects.create(kind="refused", reason="of-somebody-else")
    [address] = re.findall(r'href="([^"]*signinevent[^"]*)"', overview_of(operator, grace))
    record = operator.get(address)
    assert record.status_code == 200
    shown = record.context["cl"].result_list
    assert list(shown) == list(SignInEvent.objects.filter(user=grace))
    onlooker = User.objects.create_user("onlooker", is_staff=True)
    onlooker.user_permissions.set(Permission.objects.filter(codename="view_user"))
    client.force_login(onlooker)
    assert "signinevent" not in client.get(page_of(grace)).text


def overview_of(client, user):
    """A person's page without the admin's own list of tables."""
    return client.get(page_of(user)).text.partition('<div class="user-detail">')[2]


def test_page_tells_rights_of_the_pool_from_those_given_by_hand(operator, cognito_client):
    ada = cognito_client("ada", groups=["admins"]).user
    page = operator.get(page_of(ada)).text
    assert "<td>Staff</td><td>admins of the pool</td>" in page
    by_hand = User.objects.get(username="operator")
    assert "<td>Superuser</td><td>given here by hand</td>" in operator.get(page_of(by_hand)).text


def test_page_shows_no_token_and_no_password(operator, grace):
    row = SignIn.objects.get(user=grace)
    page = operator.get(page_of(grace)).text
    assert row.sealed_tokens not in page
    assert row.key not in page
    assert "password" not in page.lower()


def test_what_the_pool_says_is_not_edited_here(operator, grace):
    page = operator.get(page_of(grace)).text
    assert 'name="email"' not in page
    assert 'name="is_active"' in page


def test_nobody_takes_their_own_status_by_the_form(operator):
    me = User.objects.get(username="operator")
    page = operator.get(page_of(me)).text
    assert "This is you: another superuser" in page
    assert 'name="is_active"' not in page
    assert 'value="deactivate"' not in page
    assert operator.post(page_of(me), {"username": "operator"}).status_code == 302
    me.refresh_from_db()
    assert (me.is_active, me.is_staff, me.is_superuser) == (True, True, True)


def test_only_superusers_change_the_address_that_links_are_made_by(operator, client):
    user = User.objects.create_user("earlier-user", email="mary@example.com")
    form = {"username": "earlier-user", "is_active": "on", "email": "other@example.com"}
    assert operator.post(page_of(user), form).status_code == 302
    user.refresh_from_db()
    assert user.email == "other@example.com"
    helper = User.objects.create_user("helper", is_staff=True)
    helper.user_permissions.set(Permission.objects.filter(codename="change_user"))
    client.force_login(helper)
    for person in (user, helper):
        assert 'name="email"' not in client.get(page_of(person)).text
        client.post(page_of(person), {**form, "username": person.username, "email": "ada@b.c"})
    assert not User.objects.filter(email="ada@b.c").exists()


def test_rights_given_by_hand_are_recorded_with_who_gave_them(operator, grace):
    form = {"is_active": "on", "is_staff": "on", "groups": []}
    assert operator.post(page_of(grace), form).status_code == 302
    event = SignInEvent.objects.get(kind="rights_changed", reason="admin")
    assert (event.user, event.details["added"], event.details["removed"]) == (
        grace,
        "staff",
        "group editors",
    )
    assert event.details["by"] == "operator"


def test_deactivating_ends_sessions_and_activating_lets_in_again(operator, grace):
    page = act(operator, "deactivate", grace)
    assert page.request["PATH_INFO"] == page_of(grace)
    assert "Deactivated: 1." in page.text
    grace.refresh_from_db()
    assert not grace.is_active
    assert not SignIn.objects.live().filter(user=grace).exists()
    assert SignInEvent.objects.get(kind="deactivated").details["by"] == "operator"
    assert "Activated again: 1." in act(operator, "activate", grace).text
    grace.refresh_from_db()
    assert grace.is_active
    assert SignInEvent.objects.filter(kind="activated", user=grace).exists()


@pytest.mark.parametrize("changed", [{"is_active": False}, {"is_staff": False}])
def test_form_opened_before_gives_nothing_back(operator, changed):
    """Two of staff at one person: a deactivation or a lost right is not undone by the slower."""
    user = User.objects.create_user("earlier-user", is_staff=True)
    [seen] = re.findall(r'name="as_seen" value="([^"]*)"', operator.get(page_of(user)).text)
    assert seen == "active, staff"
    User.objects.filter(pk=user.pk).update(**changed)
    form = {"username": "earlier-user", "is_active": "on", "is_staff": "on", "first_name": "Mary"}
    page = operator.post(page_of(user), {**form, "as_seen": seen}, follow=True)
    assert "nothing was saved" in page.text
    user.refresh_from_db()
    assert user.first_name == ""
    assert {name: getattr(user, name) for name in changed} == changed
    [seen] = re.findall(r'name="as_seen" value="([^"]*)"', page.text)
    operator.post(page_of(user), {**form, "as_seen": seen}, follow=True)
    user.refresh_from_db()
    assert (user.first_name, user.is_active, user.is_staff) == ("Mary", True, True)


def test_form_that_came_back_with_errors_can_be_saved(operator):
    user = User.objects.create_user("earlier-user")
    page = operator.post(page_of(user), {"username": "a b", "as_seen": "active"})
    assert "Enter a valid username" in page.text
    [seen] = re.findall(r'name="as_seen" value="([^"]*)"', page.text)
    form = {"username": "earlier-user", "as_seen": seen}
    assert operator.post(page_of(user), form).status_code == 302
    user.refresh_from_db()
    assert not user.is_active


def test_nobody_deactivates_themselves(operator):
    me = User.objects.get(username="operator")
    assert "deactivate yourself" in act(operator, "deactivate", me).text
    me.refresh_from_db()
    assert me.is_active


@pytest.fixture
def known(pool):
    """grace and linus, known here and at the pool."""

    def make(name):
        user = User.objects.create_user(f"person-{name}")
        subject = pool.get_user(name).sub
        Identity.objects.create(user=user, issuer=pool.issuer, subject=subject, username=name)
        return user

    return {name: make(name) for name in ("grace", "linus")}


def compare(client, *users, **more):
    form = {"action": "reconcile", "_selected_action": [user.pk for user in users], **more}
    return client.post(LIST, form, follow=True)


def form_of(page):
    """What the page's own form would send."""
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text)
    return {name: [value for each, value in hidden if each == name] for name, _ in hidden}


def active(*users):
    return [User.objects.get(pk=user.pk).is_active for user in users]


def test_person_who_is_as_in_the_pool_needs_no_question(operator, known):
    page = act(operator, "reconcile", known["linus"])
    assert page.request["PATH_INFO"] == page_of(known["linus"])
    assert "As the pool has them: 1." in page.text


def test_comparing_with_the_pool_shows_first_and_acts_after_the_question(operator, pool, known):
    pool.disable("linus")
    page = act(operator, "reconcile", known["linus"])
    assert "Nothing has been changed yet." in page.text
    assert "<td>disabled</td><td>would be deactivated</td>" in page.text
    assert active(known["linus"]) == [True]
    assert not SignInEvent.objects.filter(kind="deactivated").exists()
    done = operator.post(LIST, form_of(page), follow=True)
    assert done.request["PATH_INFO"] == page_of(known["linus"])
    assert "is disabled: deactivated here." in done.text
    assert active(known["linus"]) == [False]
    event = SignInEvent.objects.get(kind="deactivated")
    assert (event.user, event.reason) == (known["linus"], "disabled_in_pool")
    assert (event.details["by"], event.ip_address) == ("operator", "127.0.0.1")


def test_only_who_was_shown_is_deactivated(operator, pool, known):
    pool.disable("linus")
    page = compare(operator, *known.values())
    assert "Users compared: 2." in page.text
    pool.disable("grace")
    pool.enable("linus")
    assert "Nobody was deactivated." in operator.post(LIST, form_of(page), follow=True).text
    assert active(*known.values()) == [True, True]


def test_more_than_may_be_at_once_are_not_deactivated(operator, pool):
    people = [
        User.objects.create_user(f"gone-{number}") for number in range(reconciliation.MOST + 1)
    ]
    for user in people:
        Identity.objects.create(user=user, issuer=pool.issuer, subject=user.username)
    page = compare(operator, *people)
    said = "51 users would be deactivated, but the limit is 50. Check COGNITO_POOL_ID"
    assert said in page.text
    assert 'value="Deactivate' not in page.text
    assert said in compare(operator, *people, confirmed="yes").text
    assert all(active(*people))
    assert 'value="Deactivate 50"' in compare(operator, *people[1:]).text


def test_nobody_deactivates_themselves_by_comparing(operator, pool, known):
    me = User.objects.get(username="operator")
    User.objects.create_superuser("another")
    Identity.objects.create(user=me, issuer=pool.issuer, subject="gone", username="operator")
    page = compare(operator, me)
    assert "stays active: you cannot deactivate yourself" in page.text
    assert "No user would be deactivated." in page.text
    assert "you cannot deactivate yourself" in compare(operator, me, confirmed="yes").text
    assert active(me) == [True]


def test_list_finds_people_by_their_name_at_the_pool(operator, grace):
    assert f"/user/{grace.pk}/change/" in operator.get(LIST, {"q": "grace"}).text
    assert f"/user/{grace.pk}/change/" not in operator.get(LIST, {"q": "nobody-like-that"}).text
    assert "Invite a user" in operator.get(LIST).text


def test_person_is_invited_seen_waiting_and_invited_again(operator, pool):
    form = {"email": "zoe@example.com", "username": "zoe"}
    page = operator.post(INVITATIONS, form, follow=True).text
    assert "Invited zoe: a mail to zoe@example.com is on its way." in page
    assert "valid until" in page
    assert pool.mailbox[-1].to == "zoe@example.com"
    sent = len(pool.mailbox)
    assert "Invited zoe again" in operator.post(INVITATIONS, {"again": "zoe"}, follow=True).text
    assert len(pool.mailbox) == sent + 1
    kinds = SignInEvent.objects.filter(kind__startswith="invited").values_list("kind", "details")
    assert set(dict(kinds)) == {"invited", "invited_again"}
    assert pool.mailbox[-1].code not in str(list(kinds))


def test_invitation_that_is_over_says_so(operator, pool, monkeypatch):
    from accounts.provider import user_pool

    user_pool.invite(username="zoe", email="zoe@example.com")
    monkeypatch.setattr(user_pool, "invitation_lasts", lambda: timedelta(0))
    assert "expired on" in operator.get(INVITATIONS).text


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"email": "ada@example.com", "username": "ada"}, "has this username already"),
        ({"email": "no address", "username": "zoe"}, "valid email address"),
        ({"email": "zoe@example.com", "username": "z o e"}, "A username has no spaces."),
    ],
)
def test_invitation_that_cannot_be_is_refused_with_the_reason(operator, pool, form, said):
    assert said in operator.post(INVITATIONS, form).text
    assert not SignInEvent.objects.filter(kind="invited").exists()


def test_person_who_came_meanwhile_is_not_invited_again(operator, pool):
    said = operator.post(INVITATIONS, {"again": "ada"}, follow=True).text
    assert "They have signed in meanwhile" in said


def test_pool_that_does_not_answer_is_said(operator, pool):
    pool.stop()
    assert "Invitations aren't available." in operator.get(INVITATIONS).text


def test_without_credentials_the_page_says_what_is_missing(operator, settings, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    at_aws = {"POOL_ID": "eu-west-1_AbCdEf123", "ISSUER": "", "CLIENT_DOMAIN": "my-team"}
    settings.COGNITO = {**settings.COGNITO, **at_aws}
    for page in (operator.get(INVITATIONS), operator.post(INVITATIONS, {"again": "zoe"})):
        assert "no AWS credentials" in page.text
        assert 'name="username"' not in page.text
    user = User.objects.create_user("somebody")
    assert "no AWS credentials" in act(operator, "reconcile", user).text
