"""The effects of operators' commands, as users and staff see them in Chromium."""

import csv
import json
from decimal import Decimal
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from playwright.sync_api import expect

from accounts.models import SignIn, User
from accounts.provider import aws
from stats import writing
from stats.models import Stat
from tests.flows.sessions.conftest import until_due
from tests.flows.test_browser import sign_in_as

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
ANOTHER_KEY = "another-secret-key-that-signs-nothing-of-worth-0123456789-abc"


def command(*arguments):
    output = StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


@pytest.fixture
def pictures(screenshot):
    """A function that takes screenshots, wide and light or narrow and dark, without overflow."""

    def take(page, name):
        for width, scheme in ((390, "dark"), (1280, "light")):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)
            screenshot(page, f"people-{name}-{width}-{scheme}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name

    return take


def test_existing_user_is_linked_and_signs_in_to_the_old_account(
    page, site, pool, new_context, pictures
):
    mary = User.objects.create_user("mary", email="grace@example.com")
    figure = Stat(kpi="Revenue", year=2020, month=3, value=Decimal(1))
    writing.save(figure, writing.Author(mary, "page"))
    assert "+  grace <grace@example.com>: link to mary\n" in command("cognito_link_users")
    assert "1 linked." in command("cognito_link_users", "mary", "--apply")

    sign_in_as(page, site, "grace")
    page.goto(f"{site}/profile/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Grace Hopper")
    assert SignIn.objects.get().user == User.objects.get() == mary

    content = json.loads(command("cognito_export_user", "mary"))
    assert content["account"]["username"] == "mary"
    assert [item["kpi"] for item in content["rows"]["stats.Stat (created_by)"]] == ["Revenue"]

    ada = new_context().new_page()
    sign_in_as(ada, site, "ada")
    ada.goto(f"{site}/admin/accounts/user/{mary.pk}/change/")
    record = ada.get_by_role("region", name="Recent events")
    for kind in ("Linked", "Signed in", "Exported"):
        expect(record).to_contain_text(kind)
    pictures(ada, "linked-in-the-admin")


def test_removed_users_lose_their_sessions(site, pool, new_context, pictures):
    linus, grace, ada = (new_context().new_page() for _ in range(3))
    for page, username in ((linus, "linus"), (grace, "grace"), (ada, "ada")):
        sign_in_as(page, site, username)

    # linus is deleted in the pool: reconciliation finds and deactivates him.
    pool.delete("linus")
    assert "gone" in command("cognito_reconcile_users")
    linus.goto(f"{site}/profile/")
    expect(linus.get_by_role("heading", level=1)).to_have_text("Linus Pauling")
    assert "1 deactivated." in command("cognito_reconcile_users", "--apply")
    linus.reload()
    expect(linus.get_by_label("Password")).to_be_visible()
    expect(linus.get_by_role("button", name="linus")).to_have_count(0)  # there is no user to select

    # grace is erased.
    output = command("cognito_erase_user", "grace", "--pool")
    assert "-  pool user: grace\n" in output
    assert grace.goto(f"{site}/profile/").status == 200
    command("cognito_erase_user", "grace", "--pool", "--apply")
    grace.reload()
    expect(grace.get_by_label("Password")).to_be_visible()
    grace.goto(site)
    expect(grace.get_by_role("link", name="Sign in").first).to_be_visible()

    # The audit log has all events without her name, on the page and in the export.
    ada.goto(f"{site}/admin/accounts/signinevent/")
    main = ada.get_by_role("main")
    expect(main).to_contain_text("gone_in_pool")
    expect(main).to_contain_text("Deactivated: deleted in the pool")
    expect(main).to_contain_text("Erased")
    expect(main).not_to_contain_text("race")
    pictures(ada, "record")
    ada.locator("#action-toggle").check()
    ada.locator("select[name=action]").select_option("export_csv")
    with ada.expect_download() as download:
        ada.get_by_role("button", name="Go").click()
    lines = list(csv.DictReader(download.value.path().read_text("utf-8-sig").splitlines()))
    assert {"gone_in_pool", "operator"} <= {line["reason"] for line in lines}
    assert not any("race" in "".join(line.values()) for line in lines)


def test_browser_stays_signed_in_while_every_key_changes(page, site, pool, settings):
    sign_in_as(page, site, "grace")
    old_key = settings.SECRET_KEY

    def renewed():
        until_due()
        before = SignIn.objects.get().sealed_tokens
        page.goto(f"{site}/profile/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Grace Hopper")
        assert SignIn.objects.live().get().sealed_tokens != before

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = ANOTHER_KEY, [old_key]
    renewed()
    settings.SECRET_KEY_FALLBACKS = []
    renewed()

    [old], new = settings.COGNITO["TOKEN_ENCRYPTION_KEYS"], Fernet.generate_key().decode()
    settings.COGNITO = {**settings.COGNITO, "TOKEN_ENCRYPTION_KEYS": [new, old]}
    # The sign-in, and the result of its refresh.
    assert "Encrypted again: 2." in command("cognito_reencrypt_tokens")
    settings.COGNITO = {**settings.COGNITO, "TOKEN_ENCRYPTION_KEYS": [new]}
    renewed()

    client = {"UserPoolId": pool.pool_id, "ClientId": pool.client_id}
    where = {"region": "local-1", "issuer": pool.issuer, **client}
    [first] = aws.call("cognito-idp", "list_user_pool_client_secrets", **where)["ClientSecrets"]
    made = aws.call("cognito-idp", "add_user_pool_client_secret", **where)
    renewed()
    secret = made["ClientSecretDescriptor"]["ClientSecretValue"]
    settings.COGNITO = {**settings.COGNITO, "CLIENT_SECRET": secret}
    key = first["ClientSecretId"]
    aws.call("cognito-idp", "delete_user_pool_client_secret", **where, ClientSecretId=key)
    renewed()
