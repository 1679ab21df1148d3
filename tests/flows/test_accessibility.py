"""Every page with axe, a story with the keyboard alone, and one without JavaScript."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import call_command
from playwright.sync_api import expect

from accounts.models import SignIn, SignInEvent, User
from stats.models import Change, Stat
from tests.flows.test_browser import sign_in_as

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

PUBLIC = ("/", "/server/", "/signout", "/nowhere", "/signin?code=x", "/docs")
PAGES = (
    *("/", "/dashboard/", "/dashboard/?kpi=none", "/dashboard/?from=x", "/dashboard/figures/add/"),
    *("/dashboard/figures/{figure}/edit/", "/dashboard/figures/{figure}/delete/", "/profile/"),
    *("/profile/sign-out-everywhere/", "/server/", "/nowhere", "/docs", "/api/user", "/api/stats"),
    *("/api/stats/{figure}", "/admin/", "/admin/accounts/", "/admin/accounts/user/"),
    *("/admin/accounts/user/{user}/change/", "/admin/accounts/user/invitations/"),
    *("/admin/accounts/identity/", "/admin/accounts/signin/", "/admin/accounts/signin/{sign_in}/"),
    *("/admin/accounts/signinevent/?kind__exact=refused", "/admin/accounts/signinevent/"),
    *("/admin/accounts/signinevent/{event}/", "/admin/accounts/pendingrevocation/"),
    *("/admin/auth/group/", "/admin/auth/group/add/", "/admin/stats/stat/", "/admin/stats/change/"),
    *("/admin/stats/stat/add/", "/admin/stats/stat/import/", "/admin/stats/stat/export/"),
    *("/admin/stats/stat/{figure}/change/", "/admin/stats/stat/{figure}/history/"),
)


@pytest.fixture
def figures():
    call_command("seed_stats", until="2021-12", verbosity=0)
    SignInEvent.objects.create(kind="refused", reason="state_mismatch", reference="7c1e09ab")
    SignInEvent.objects.create(kind="refused")


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1280)])
def test_no_page_has_known_faults(site, pool, new_context, figures, scheme, width):
    context = new_context(
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
        bypass_csp=True,  # axe adds styles; the other tests keep the policy
    )
    page = context.new_page()
    faults = [fault for path in PUBLIC for fault in faults_of(page, site + path, width)]
    sign_in_as(page, site, "ada")
    ids = {
        "figure": Stat.objects.first().pk,
        "user": User.objects.get().pk,
        "sign_in": SignIn.objects.get().pk,
        "event": SignInEvent.objects.filter(kind="refused").first().pk,
    }
    for path in PAGES:
        faults += faults_of(page, site + path.format(**ids), width)
    assert faults == []


def faults_of(page, url, width):
    page.goto(url)
    if url.endswith("/docs"):
        expect(page.locator(".opblock").first).to_be_visible()
    faults = [
        (url, fault["id"], node["html"])
        for fault in Axe().run(page).response["violations"]
        for node in fault["nodes"]
    ]
    page_width = page.evaluate("document.documentElement.scrollWidth")
    return faults + ([(url, "wider than the window", page_width)] if page_width > width else [])


# The label of a KPI's checkbox shows its focus.
HAS_OUTLINE = """element => [element, element.closest("label") ?? element].some(
  (shown) => getComputedStyle(shown).outlineStyle !== "none",
)"""


def tab_to(page, locator, key="Tab"):
    """Press Tab until `locator` has the focus, which must be visible."""
    for _ in range(150):
        page.keyboard.press(key)
        if locator.evaluate("element => element === document.activeElement"):
            assert locator.evaluate(HAS_OUTLINE), locator
            return
    pytest.fail(f"{locator} is not reachable by {key}.")


def test_editor_works_with_the_keyboard_alone(page, site, pool, figures):
    page.goto(site)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    tab_to(page, page.get_by_role("main").get_by_role("link", name="Sign in"))
    page.keyboard.press("Enter")
    page.wait_for_url(f"{pool.url}/login**")
    tab_to(page, page.get_by_label("Username"))
    page.keyboard.type("grace")
    tab_to(page, page.get_by_label("Password"))
    page.keyboard.type("Cognito-demo-1")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}/dashboard/**")

    tab_to(page, page.get_by_role("link", name="Add a figure"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("KPI"))
    page.keyboard.type("churn")
    tab_to(page, page.get_by_label("Month"))
    page.keyboard.type("January")
    page.keyboard.press("Tab")  # from the month to the year, in the same field
    page.keyboard.type("2022")
    tab_to(page, page.get_by_label("Value"))
    page.keyboard.type("3.5")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Added churn for 2022-01: 3.5.")

    tab_to(page, page.get_by_role("checkbox", name="churn"))
    page.keyboard.press("Space")
    page.wait_for_url("**/dashboard/?kpi=cost&kpi=profit&kpi=revenue")
    tab_to(page, page.get_by_role("link", name="KPI"))
    page.keyboard.press("Enter")
    expect(page.locator("[aria-sort=ascending]")).to_contain_text("KPI")
    tab_to(page, page.get_by_role("link", name="Profile"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="End"))
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}/signout")


def test_staff_filter_events_with_the_keyboard_alone(page, site, pool, figures):
    sign_in_as(page, site, "ada")
    page.goto(f"{site}/admin/")
    tab_to(page, page.get_by_role("link", name="refused in 24 hours"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/signinevent/?kind__exact=refused")
    tab_to(page, page.get_by_role("link", name="the callback belongs to no attempt"))
    page.keyboard.press("Enter")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)


def test_pages_work_without_scripts(site, pool, new_context, figures):
    page = new_context(java_script_enabled=False).new_page()
    sign_in_as(page, site, "ada")
    expect(page.locator("[data-chart]")).to_be_hidden()
    page.get_by_text("The chart's numbers as a table").click()
    expect(page.get_by_role("region", name="The chart's numbers")).to_contain_text("Dec 2021")
    page.get_by_role("checkbox", name="profit").uncheck()
    page.get_by_label("From").fill("2021-11")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("tbody .table__name")).to_have_text(["cost", "revenue"] * 2)
    page.get_by_role("link", name="Edit cost 2021-12").click()
    page.get_by_label("Value").fill("7")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved cost for 2021-12: 7.")

    page.goto(f"{site}/admin/stats/stat/")
    page.locator(".list-filters > summary").click()
    page.locator("#changelist-filter").get_by_role("link", name="cost").click()
    page.locator("#id_form-0-value").fill("8")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("1 figure was changed")).to_be_visible()
    assert Change.objects.count() == 2
    page.goto(f"{site}/profile/")
    page.get_by_role("button", name="End").click()
    page.wait_for_url(f"{site}/signout")
    page.goto(f"{site}/docs")
    expect(page.get_by_role("link", name="the OpenAPI document")).to_be_visible()
