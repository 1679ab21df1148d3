"""The user page of the admin, its actions, and invitations."""

import re
from datetime import UTC, datetime, timedelta

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
    with LocalPool() as local_pool:
        use_pool(settings, local_pool)
        yield local_pool


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
    form = {"action": name, "_selected_action": [user.pk], "from_user": user.pk}
    return client.post(LIST, form, follow=True)


def test_page_shows_identity_rights_sessions_and_events(operator, grace):
    page = operator.get(page_of(grace)).text
    identity = Identity.objects.get(user=grace)
    for text in (identity.subject, identity.issuer, "g@example.com", "Group editors"):
        assert text in page
    assert "<td>Group editors</td><td>editors of the pool</td>" in page
    assert "reading-circle of the pool, which is not mapped" in page
    assert "<td>Signed in</td>" in page
    assert SignIn.objects.get(user=grace).reference in page


def test_list_shows_the_last_sign_in(operator, grace):
    User.objects.filter(pk=grace.pk).update(last_login=datetime(2026, 3, 1, 9, 5, tzinfo=UTC))
    User.objects.create(username="invited")
    page = operator.get(LIST).text
    cells = re.findall(r'<td class="field-last_sign_in[^"]*">([^<]*)</td>', page)
    assert "1 Mar 2026, 09:05" in cells
    assert "-" in cells


def test_page_links_to_all_events_of_the_user(operator, grace, client):
    SignInEvent.objects.create(kind="refused", reason="of-another-user")
    [url] = re.findall(r'href="([^"]*signinevent[^"]*)"', overview_of(operator, grace))
    audit_log = operator.get(url)
    assert audit_log.status_code == 200
    events = audit_log.context["cl"].result_list
    assert list(events) == list(SignInEvent.objects.filter(user=grace))
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_user"))
    client.force_login(viewer)
    assert "signinevent" not in client.get(page_of(grace)).text


def overview_of(client, user):
    """Return the page of a user without the admin's own list of models."""
    return client.get(page_of(user)).text.partition('<div class="user-detail">')[2]


def test_page_shows_whether_the_pool_granted_a_right(operator, cognito_client):
    ada = cognito_client("ada", groups=["admins"]).user
    page = operator.get(page_of(ada)).text
    assert "<td>Staff</td><td>admins of the pool</td>" in page
    own_page = operator.get(page_of(User.objects.get(username="operator"))).text
    assert "<td>Superuser</td><td>set by hand</td>" in own_page


def test_page_shows_no_token_and_no_password(operator, grace):
    sign_in = SignIn.objects.get(user=grace)
    page = operator.get(page_of(grace)).text
    assert sign_in.sealed_tokens not in page
    assert sign_in.key not in page
    assert "password" not in page.lower()


def test_fields_of_the_pool_cannot_be_edited(operator, grace):
    page = operator.get(page_of(grace)).text
    assert 'name="email"' not in page
    assert 'name="is_active"' in page


def test_form_cannot_change_the_status_of_ones_own_account(operator):
    user = User.objects.get(username="operator")
    page = operator.get(page_of(user)).text
    assert "This is your own account." in page
    assert 'name="is_active"' not in page
    assert 'value="deactivate"' not in page
    assert operator.post(page_of(user), {"username": "operator"}).status_code == 302
    user.refresh_from_db()
    assert (user.is_active, user.is_staff, user.is_superuser) == (True, True, True)


def test_only_superusers_can_change_an_email_address(operator, client):
    user = User.objects.create_user("earlier-user", email="mary@example.com")
    form = {"username": "earlier-user", "is_active": "on", "email": "other@example.com"}
    assert operator.post(page_of(user), form).status_code == 302
    user.refresh_from_db()
    assert user.email == "other@example.com"
    helper = User.objects.create_user("helper", is_staff=True)
    helper.user_permissions.set(Permission.objects.filter(codename="change_user"))
    client.force_login(helper)
    for target in (user, helper):
        assert 'name="email"' not in client.get(page_of(target)).text
        client.post(page_of(target), {**form, "username": target.username, "email": "ada@b.c"})
    assert not User.objects.filter(email="ada@b.c").exists()


def test_audit_log_names_the_staff_user_who_changed_rights(operator, grace):
    form = {"is_active": "on", "is_staff": "on", "groups": []}
    assert operator.post(page_of(grace), form).status_code == 302
    event = SignInEvent.objects.get(kind="rights_changed", reason="admin")
    assert (event.user, event.details["added"], event.details["removed"]) == (
        grace,
        "staff",
        "group editors",
    )
    assert event.details["by"] == "operator"


def test_deactivation_ends_sessions_and_activation_reverts_it(operator, grace):
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


def initial_state(page):
    """Return the value of the form's hidden field."""
    [value] = re.findall(r'name="initial_state" value="([^"]*)"', page.text)
    return value


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
def test_outdated_form_does_not_revert_a_change(operator, change):
    user = User.objects.create_user("earlier-user", is_staff=True)
    state = initial_state(operator.get(page_of(user)))
    assert state == "active, staff"
    User.objects.filter(pk=user.pk).update(**change)
    form = {"username": "earlier-user", "is_active": "on", "is_staff": "on", "first_name": "Mary"}
    page = operator.post(page_of(user), {**form, "initial_state": state}, follow=True)
    assert "nothing was saved" in page.text
    user.refresh_from_db()
    assert user.first_name == ""
    assert {name: getattr(user, name) for name in change} == change
    state = initial_state(page)
    operator.post(page_of(user), {**form, "initial_state": state}, follow=True)
    user.refresh_from_db()
    assert (user.first_name, user.is_active, user.is_staff) == ("Mary", True, True)


def test_form_with_corrected_errors_can_be_saved(operator):
    user = User.objects.create_user("earlier-user")
    page = operator.post(page_of(user), {"username": "a b", "initial_state": "active"})
    assert "Enter a valid username" in page.text
    form = {"username": "earlier-user", "initial_state": initial_state(page)}
    assert operator.post(page_of(user), form).status_code == 302
    user.refresh_from_db()
    assert not user.is_active


def test_staff_cannot_deactivate_their_own_account(operator):
    user = User.objects.get(username="operator")
    assert "deactivate your own account" in act(operator, "deactivate", user).text
    user.refresh_from_db()
    assert user.is_active


@pytest.fixture
def pool_users(pool):
    """The users grace and linus of this site, linked to their pool users."""

    def create(name):
        user = User.objects.create_user(f"person-{name}")
        subject = pool.get_user(name).sub
        Identity.objects.create(user=user, issuer=pool.issuer, subject=subject, username=name)
        return user

    return {name: create(name) for name in ("grace", "linus")}


def compare(client, *users, **data):
    form = {"action": "reconcile", "_selected_action": [user.pk for user in users], **data}
    return client.post(LIST, form, follow=True)


def form_of(page):
    """Return the data that the page's own form sends."""
    form = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text):
        form.setdefault(name, []).append(value)
    return form


def active(*users):
    return [User.objects.get(pk=user.pk).is_active for user in users]


def test_comparison_without_differences_needs_no_confirmation(operator, pool_users):
    page = act(operator, "reconcile", pool_users["linus"])
    assert page.request["PATH_INFO"] == page_of(pool_users["linus"])
    assert "No differences from the pool. Users compared: 1." in page.text


def test_reconciliation_shows_a_preview_and_deactivates_once_confirmed(operator, pool, pool_users):
    pool.disable("linus")
    page = act(operator, "reconcile", pool_users["linus"])
    assert "Nothing has been changed yet." in page.text
    assert "<td>disabled</td><td>would be deactivated</td>" in page.text
    assert active(pool_users["linus"]) == [True]
    assert not SignInEvent.objects.filter(kind="deactivated").exists()
    page = operator.post(LIST, form_of(page), follow=True)
    assert page.request["PATH_INFO"] == page_of(pool_users["linus"])
    assert "was deactivated. State in the pool: disabled." in page.text
    assert active(pool_users["linus"]) == [False]
    event = SignInEvent.objects.get(kind="deactivated")
    assert (event.user, event.reason) == (pool_users["linus"], "disabled_in_pool")
    assert (event.details["by"], event.ip_address) == ("operator", "127.0.0.1")


def test_only_users_of_the_preview_are_deactivated(operator, pool, pool_users):
    pool.disable("linus")
    page = compare(operator, *pool_users.values())
    assert "Users compared: 2." in page.text
    pool.disable("grace")
    pool.enable("linus")
    assert "No user was deactivated." in operator.post(LIST, form_of(page), follow=True).text
    assert active(*pool_users.values()) == [True, True]


def test_reconciliation_deactivates_no_user_beyond_the_limit(operator, pool):
    users = [
        User.objects.create_user(f"gone-{number}")
        for number in range(reconciliation.MAX_DEACTIVATIONS + 1)
    ]
    for user in users:
        Identity.objects.create(user=user, issuer=pool.issuer, subject=user.username)
    page = compare(operator, *users)
    message = "51 users would be deactivated, but the limit is 50. Check COGNITO_POOL_ID"
    assert message in page.text
    assert 'value="Deactivate' not in page.text
    assert message in compare(operator, *users, confirmed="yes").text
    assert all(active(*users))
    assert 'value="Deactivate 50"' in compare(operator, *users[1:]).text


def test_reconciliation_cannot_deactivate_ones_own_account(operator, pool, pool_users):
    user = User.objects.get(username="operator")
    User.objects.create_superuser("another")
    Identity.objects.create(user=user, issuer=pool.issuer, subject="gone", username="operator")
    page = compare(operator, user)
    assert "stays active: you cannot deactivate yourself" in page.text
    assert "No user would be deactivated." in page.text
    assert "you cannot deactivate yourself" in compare(operator, user, confirmed="yes").text
    assert active(user) == [True]


def test_list_finds_users_by_their_pool_username(operator, grace):
    assert f"/user/{grace.pk}/change/" in operator.get(LIST, {"q": "grace"}).text
    assert f"/user/{grace.pk}/change/" not in operator.get(LIST, {"q": "unknown-name"}).text
    assert "Invite a user" in operator.get(LIST).text


def test_user_is_invited_listed_as_pending_and_invited_again(operator, pool):
    form = {"email": "zoe@example.com", "username": "zoe"}
    page = operator.post(INVITATIONS, form, follow=True).text
    assert "Invited zoe. Cognito sends an email to zoe@example.com." in page
    assert "valid until" in page
    assert pool.mailbox[-1].to == "zoe@example.com"
    email_count = len(pool.mailbox)
    assert "Invited zoe again" in operator.post(INVITATIONS, {"resend": "zoe"}, follow=True).text
    assert len(pool.mailbox) == email_count + 1
    kinds = SignInEvent.objects.filter(kind__startswith="invited").values_list("kind", "details")
    assert set(dict(kinds)) == {"invited", "invited_again"}
    assert pool.mailbox[-1].code not in str(list(kinds))


def test_expired_invitation_is_marked(operator, pool, monkeypatch):
    from accounts.provider import user_pool

    user_pool.invite(username="zoe", email="zoe@example.com")
    monkeypatch.setattr(user_pool, "invitation_lifetime", lambda: timedelta(0))
    assert "expired on" in operator.get(INVITATIONS).text


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"email": "ada@example.com", "username": "ada"}, "already has a user with this username"),
        ({"email": "no address", "username": "zoe"}, "valid email address"),
        ({"email": "zoe@example.com", "username": "z o e"}, "Enter a username without spaces."),
    ],
)
def test_invalid_invitation_is_refused_with_the_reason(operator, pool, form, message):
    assert message in operator.post(INVITATIONS, form).text
    assert not SignInEvent.objects.filter(kind="invited").exists()


def test_user_who_has_signed_in_is_not_invited_again(operator, pool):
    page = operator.post(INVITATIONS, {"resend": "ada"}, follow=True).text
    assert "This user has already signed in" in page


def test_page_says_that_the_pool_is_unavailable(operator, pool):
    pool.stop()
    assert "Invitations aren't available." in operator.get(INVITATIONS).text


def test_page_says_that_aws_credentials_are_missing(operator, settings, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    at_aws = {"POOL_ID": "eu-west-1_AbCdEf123", "ISSUER": "", "CLIENT_DOMAIN": "my-team"}
    settings.COGNITO = {**settings.COGNITO, **at_aws}
    for page in (operator.get(INVITATIONS), operator.post(INVITATIONS, {"resend": "zoe"})):
        assert "no AWS credentials" in page.text
        assert 'name="username"' not in page.text
    user = User.objects.create_user("user")
    assert "no AWS credentials" in act(operator, "reconcile", user).text
