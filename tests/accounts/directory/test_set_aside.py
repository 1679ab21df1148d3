"""Accounts that were set aside, because their pool user has another one: found, and resolved."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.doctor.production import production_problems
from accounts.models import Identity, SignIn, SignInEvent, User
from accounts.provider import provider
from accounts.testing import subject_of
from tests.accounts.earlier_version import insert_identity
from tests.host.models import Article

pytestmark = pytest.mark.django_db

POOL = "eu-west-1_AbCdEf123"
ORIGINAL, UPDATED = (
    f"https://{host}.eu-west-1.amazonaws.com/{POOL}"
    for host in ("cognito-idp", "issuer-cognito-idp")
)
ADA = ("--pool", POOL, "--sub", subject_of("ada"))


@pytest.fixture(autouse=True)
def pool(settings, cognito):
    pool = {"POOL_ID": POOL, "ISSUER": ORIGINAL, "JWKS_URL": "", "CLIENT_REGION": ""}
    settings.COGNITO = {**settings.COGNITO, **pool, "CLIENT_DOMAIN": "my-team"}


@pytest.fixture
def accounts():
    """The account that is used, and the one that is set aside."""
    used = User.objects.create_user("used", is_staff=True)
    aside = User.objects.create_user("aside")
    key = {"subject": subject_of("ada"), "username": "ada"}
    Identity.objects.create(user=used, issuer=ORIGINAL, **key)
    Identity.objects.create(user=aside, pool_id=UPDATED, issuer=UPDATED, **key)
    return used, aside


def run(*arguments):
    output = StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


def test_command_lists_both_accounts(accounts):
    accounts[1].is_active = False
    accounts[1].save()
    output = run("cognito_link_users", "--set-aside")
    assert f"{subject_of('ada')} at {POOL}\n+  used: used, staff\n" in output
    assert "-  set aside: aside, deactivated\n" in output
    assert "Accounts that are set aside: 1.\nCompare the two accounts" in output


def test_command_lists_nothing_if_no_account_is_set_aside(accounts):
    accounts[1].delete()
    Identity.objects.create(user=accounts[0], issuer="https://sso.example/realm", subject="other")
    assert run("cognito_link_users", "--set-aside") == "Accounts that are set aside: 0.\n"


def test_doctor_reports_the_number(accounts):
    found = production_problems(provider().config, "https://www.example.com")
    (finding,) = [item for item in found if item.id == "accounts-set-aside"]
    assert finding.what.endswith(": 1.")
    accounts[1].delete()
    found = production_problems(provider().config, "https://www.example.com")
    assert "accounts-set-aside" not in [item.id for item in found]


def test_admin_shows_which_account_is_used(accounts, admin_client):
    page = admin_client.get(f"/admin/accounts/user/{accounts[1].pk}/change/").content.decode()
    assert "(set aside: used is used)" in page
    page = admin_client.get(f"/admin/accounts/user/{accounts[0].pk}/change/").content.decode()
    assert "set aside" not in page
    listing = admin_client.get("/admin/accounts/identity/", {"set_aside": "yes"})
    assert [item.user for item in listing.context["cl"].result_list] == [accounts[1]]


def test_name_of_the_pool_user_matches_both_accounts(accounts):
    for name in ("ada", subject_of("ada")):
        with pytest.raises(CommandError, match="usernames of this site: used, aside"):
            run("cognito_erase_user", name)


def test_erasing_the_used_account_names_the_other_one_which_is_used_next(accounts, cognito_client):
    output = run("cognito_erase_user", "used")
    assert "=  aside: another account of the same pool user" in output
    run("cognito_erase_user", "used", "--apply")
    assert cognito_client("ada", bearer=False).user == accounts[1]
    assert "set aside" not in run("cognito_erase_user", "aside")


def test_erasing_the_account_that_is_set_aside_leaves_the_used_one(accounts, cognito_client):
    run("cognito_erase_user", "aside", "--apply")
    assert cognito_client("ada", bearer=False).user == accounts[0]
    assert not Identity.objects.set_aside()


def test_unlinking_the_used_account_admits_the_other_one(accounts, cognito_client):
    output = run("cognito_link_users", "used", *ADA, "--undo")
    assert "the next sign-in uses aside, which was set aside" in output
    run("cognito_link_users", "used", *ADA, "--undo", "--apply")
    assert cognito_client("ada", bearer=False).user == accounts[1]


def test_unlinking_the_account_that_is_set_aside_leaves_the_used_one(accounts, cognito_client):
    client = cognito_client("ada", bearer=False)
    run("cognito_link_users", "aside", *ADA, "--undo", "--apply")
    assert Identity.objects.get().user == accounts[0]
    assert client.get("/profile/").status_code == 200  # its browser stays signed in


def test_linking_gives_an_empty_accounts_pool_user_to_the_other_account(accounts, cognito_client):
    used, aside = accounts
    User.objects.filter(pk=used.pk).update(is_staff=False)
    used.set_unusable_password()
    used.save(update_fields=["password"])
    Article.objects.create(author=aside, title="Of moths")
    Identity.objects.filter(user=aside).update(staff_from_pool=True)
    cognito_client("ada", bearer=False)
    run("cognito_link_users", "aside", *ADA, "--apply")
    identity = Identity.objects.get()
    assert (identity.user, identity.pool_id, identity.staff_from_pool) == (aside, POOL, True)
    assert User.objects.get() == aside
    assert SignInEvent.objects.filter(kind="signed_in", user=aside).exists()
    assert cognito_client("ada", bearer=False).user == aside


def test_linking_refuses_to_delete_an_account_with_rights_or_data(accounts):
    with pytest.raises(CommandError, match="rights or a password that were set here"):
        run("cognito_link_users", "aside", *ADA, "--apply")
    assert User.objects.count() == Identity.objects.count() == 2


def test_deactivating_the_account_that_is_set_aside_affects_no_token(accounts, cognito_client):
    client = cognito_client("ada", session=False)
    accounts[1].is_active = False
    accounts[1].save()
    assert client.get("/api/user").status_code == 200


def test_account_that_is_set_aside_keeps_no_deleted_pool_user_active(accounts):
    from accounts.directory.reconciliation import _keep_reason

    identity = Identity.objects.get(user=accounts[0])
    extra = {"pool_id": UPDATED, "issuer": UPDATED}
    Identity.objects.filter(user=accounts[1]).update(user=accounts[0], **extra)
    assert _keep_reason(identity, [identity], None) == ""


def test_explanation_of_a_sign_in_names_the_account_that_is_used(accounts, cognito_client):
    cognito_client("ada", bearer=False)
    sign_in = SignIn.objects.get()
    output = run("cognito_explain_sign_in", sign_in.reference)
    assert f"Pool user: {subject_of('ada')} at {POOL}, issuer {ORIGINAL}.\n" in output
    assert "was of the account" not in output
    SignIn.objects.update(user=accounts[1])
    output = run("cognito_explain_sign_in", sign_in.reference)
    assert "was of the account aside. The pool user now has used" in output


def test_housekeeping_sets_second_accounts_of_the_earlier_version_aside(accounts):
    Identity.objects.filter(user=accounts[1]).delete()
    second = insert_identity(accounts[1], UPDATED, subject_of("ada"))
    run("cognito_housekeeping")
    assert list(Identity.objects.set_aside()) == [second]
