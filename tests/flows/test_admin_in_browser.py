"""Staff in Chromium: sign in, view and change a user, invite, break glass."""

import pytest
from playwright.sync_api import expect

from accounts.models import SignIn, SignInEvent, User
from accounts.signin import break_glass

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
PASSWORD = "correct horse battery staple"


def sign_in_at_the_pool(page, username, password="Cognito-demo-1"):
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


@pytest.fixture
def ada(page, site, pool):
    """A page where ada has signed in to the admin through the hosted UI."""
    page.goto(f"{site}/admin/")
    page.wait_for_url(f"{pool.url}/login**")
    sign_in_at_the_pool(page, "ada")
    page.wait_for_url(f"{site}/admin/")
    return page


def test_staff_sign_in_see_the_audit_log_and_sign_out(ada, site, pool, visitor, screenshot):
    visitor.sign_in("linus")
    SignInEvent.objects.create(kind="refused", reason="state_mismatch", reference="7c1e09ab")
    ada.reload()
    expect(ada.get_by_role("region", name="Who is signed in")).to_contain_text("Linus")
    refusals = ada.get_by_role("region", name="Who can't sign in")
    expect(refusals).to_contain_text("the callback belongs to no attempt of this browser")
    expect(refusals).to_contain_text("state_mismatch")
    expect(ada.get_by_role("link", name="2 users signed in")).to_be_visible()
    expect(ada.get_by_role("region", name="Who may do what")).to_contain_text("Ada Lovelace")
    screenshot(ada, "admin-first-page")
    ada.get_by_role("link", name="All refusals").click()
    expect(ada.get_by_role("main")).to_contain_text("7c1e09ab")
    screenshot(ada, "admin-events")
    ada.get_by_role("button", name="Sign out").click()
    ada.wait_for_url(f"{site}/signout")
    ada.goto(f"{site}/admin/")
    ada.wait_for_url(f"{pool.url}/login**")


def test_user_without_staff_status_can_choose_another_account(page, site, pool, screenshot):
    page.goto(f"{site}/admin/")
    sign_in_at_the_pool(page, "linus")
    page.wait_for_url(f"{site}/admin/")
    expect(page.get_by_role("heading", level=1)).to_have_text("You don't have access to this page")
    screenshot(page, "admin-not-staff")
    page.get_by_role("link", name="Use another account").click()
    sign_in_at_the_pool(page, "ada")
    page.wait_for_url(f"{site}/admin/")
    expect(page.get_by_role("region", name="Who is signed in")).to_be_visible()


def test_staff_view_and_deactivate_a_user(ada, visitor, screenshot):
    visitor.sign_in("grace")
    ada.get_by_role("link", name="Users", exact=True).click()
    screenshot(ada, "admin-users")
    ada.get_by_role("link", name="Grace Hopper").click()
    expect(ada.get_by_role("region", name="Rights")).to_contain_text("editors of the pool")
    expect(ada.get_by_role("region", name="Current sessions").locator("tbody tr")).to_have_count(1)
    screenshot(ada, "admin-user")
    ada.get_by_role("button", name="Sign out everywhere").click()
    expect(ada.get_by_text("Signed out everywhere: 1. Sessions ended: 1.")).to_be_visible()
    expect(ada.get_by_role("region", name="Current sessions")).to_contain_text(
        "No current sessions."
    )
    ada.get_by_role("button", name="Deactivate").click()
    expect(ada.get_by_text("Deactivated: 1.")).to_be_visible()
    expect(ada.get_by_role("button", name="Activate again")).to_be_visible()
    screenshot(ada, "admin-user-deactivated")
    assert visitor.get("/profile/").status_code == 302
    assert visitor.sign_in("grace").status_code == 403


def test_staff_invite_a_user_who_signs_in(ada, site, pool, new_context, screenshot):
    ada.get_by_role("link", name="Users", exact=True).click()
    ada.get_by_role("link", name="Invite a user").click()
    ada.get_by_label("Email address").fill("zoe@example.com")
    ada.get_by_label("Pool username").fill("zoe")
    ada.get_by_role("button", name="Invite", exact=True).click()
    expect(ada.get_by_text("Invited zoe")).to_be_visible()
    invitations = ada.get_by_role("region", name="Pending invitations")
    expect(invitations).to_contain_text("valid until")
    screenshot(ada, "admin-invitations")
    invitations.get_by_role("button", name="Send again zoe").click()
    expect(ada.get_by_text("Invited zoe again")).to_be_visible()

    zoe = new_context().new_page()
    zoe.goto(f"{site}/profile/")
    sign_in_at_the_pool(zoe, "zoe", pool.mailbox[-1].code)
    zoe.get_by_label("New password", exact=True).fill("Zoes-own-password-1")
    zoe.get_by_label("Confirm new password").fill("Zoes-own-password-1")
    zoe.get_by_role("button").first.click()
    zoe.wait_for_url(f"{site}/profile/")
    expect(zoe.get_by_role("main")).to_contain_text("zoe@example.com")
    ada.reload()
    expect(invitations).to_contain_text("No pending invitations.")


def test_staff_reconcile_a_user_with_the_pool(ada, pool, visitor, screenshot):
    visitor.sign_in("linus")
    pool.disable("linus")
    ada.get_by_role("link", name="Users", exact=True).click()
    ada.get_by_role("link", name="Linus Pauling").click()
    ada.get_by_role("button", name="Compare with the pool").click()
    expect(ada.get_by_role("region", name="Deleted or disabled in the pool")).to_contain_text(
        "disabled"
    )
    screenshot(ada, "admin-reconciliation")
    ada.emulate_media(color_scheme="dark")
    ada.set_viewport_size({"width": 390, "height": 800})
    ada.reload()
    assert ada.evaluate("document.documentElement.scrollWidth") <= 390
    screenshot(ada, "admin-reconciliation-narrow")
    ada.get_by_role("button", name="Deactivate 1").click()
    expect(ada.get_by_text("was deactivated. State in the pool: disabled.")).to_be_visible()
    expect(ada.get_by_role("region", name="Current sessions")).to_contain_text(
        "No current sessions."
    )
    assert not SignIn.objects.live().filter(user__is_active=False).exists()


def test_break_glass_works_while_the_pool_is_unavailable(page, site, pool, settings, screenshot):
    emergency = User.objects.create_superuser("emergency", password=PASSWORD)
    settings.BREAK_GLASS_LOGIN = True
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, break_glass.BACKEND]
    pool.stop()
    page.goto(f"{site}/admin/break-glass/")
    screenshot(page, "admin-break-glass")
    page.get_by_label("Username").fill("emergency")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".errornote")).to_be_visible()
    page.get_by_label("Username").fill("emergency")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site}/admin/")
    expect(page.get_by_text("Break-glass is on")).to_be_visible()
    page.goto(f"{site}/admin/accounts/user/{emergency.pk}/change/")
    expect(page.get_by_role("region", name="Current sessions")).to_contain_text("with a password")
    expect(page.get_by_text("This is your own account.")).to_be_visible()
    screenshot(page, "admin-user-by-password")
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url(f"{site}/signout")
