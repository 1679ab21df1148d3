"""The chart in a browser, with the real Content-Security-Policy.

`new_context` fails these tests when a page breaks, when the policy stops something, or when
anything is asked of another machine.
"""

import re

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client

from stats.models import Stat

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# The number of different colors on the canvas, roughly: an empty one has a single color.
COLORS = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const colors = new Set();
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] > 200) colors.add([data[i] >> 4, data[i + 1] >> 4, data[i + 2] >> 4].join());
  }
  return [...colors].sort();
}"""


@pytest.fixture
def open_dashboard(live_server, new_context):
    """A function that opens the dashboard as a signed-in user, with options for the browser."""

    def open_it(**options):
        user, _ = get_user_model().objects.get_or_create(username="p-1")
        client = Client()
        client.force_login(user)
        address = live_server.url
        context = new_context(**options)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
        page = context.new_page()
        page.goto(f"{address}/dashboard/")
        return page

    return open_it


def colors(page) -> list[str]:
    return page.locator("[data-chart-plot] canvas").evaluate(COLORS)


def wait_for_colors(page, condition) -> list[str]:
    """Wait for at most 5 s, because the canvas is painted a few frames later."""
    for _ in range(100):
        seen = colors(page)
        if condition(seen):
            return seen
        page.wait_for_timeout(50)
    pytest.fail(f"The chart still has {len(seen)} colors, not the expected ones.")


def test_chart_draws_lines_and_shows_values_under_the_pointer(open_dashboard, screenshot):
    call_command("seed_stats", until="2021-12", verbosity=0)
    page = open_dashboard()
    plot = page.locator("[data-chart-plot]")
    box = plot.bounding_box()

    wait_for_colors(page, lambda seen: len(seen) > 20)
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 100)
    tip = page.locator(".chart__tip")
    assert re.fullmatch(
        r"\w+ 2021\s+cost\s*[\d,]+\s+profit\s*[\d,]+\s+revenue\s*[\d,]+", tip.inner_text()
    )
    screenshot(page, "dashboard-chart")
    page.mouse.move(box["x"] + 100, box["y"] - 50)
    assert tip.is_hidden()


def test_chart_is_redrawn_when_the_theme_changes(open_dashboard):
    call_command("seed_stats", until="2021-12", verbosity=0)
    page = open_dashboard(color_scheme="light")
    light = wait_for_colors(page, lambda seen: len(seen) > 20)

    page.emulate_media(color_scheme="dark")
    dark = wait_for_colors(page, lambda seen: len(seen) > 20 and seen != light)
    page.get_by_role("button", name="Theme: Auto").click()  # light, even if the system is dark
    wait_for_colors(page, lambda seen: seen == light)
    page.get_by_role("button", name="Theme: Light").click()
    wait_for_colors(page, lambda seen: seen == dark)
    page.reload()
    assert page.get_by_role("button", name="Theme: Dark").is_visible()
    wait_for_colors(page, lambda seen: seen == dark)


def test_theme_applies_to_the_admin_too(open_dashboard, live_server):
    page = open_dashboard()
    get_user_model().objects.update(is_staff=True, is_superuser=True)
    page.get_by_role("button", name="Theme: Auto").click()
    page.goto(f"{live_server.url}/admin/")
    root = page.locator("html")

    assert root.get_attribute("data-theme") == "light"
    page.locator(".theme-toggle").first.click()
    chosen = root.get_attribute("data-theme")
    page.goto(f"{live_server.url}/dashboard/")
    assert chosen != "light"
    assert root.get_attribute("data-theme") == chosen


def test_chart_follows_the_width_of_the_window(open_dashboard):
    call_command("seed_stats", until="2021-12", verbosity=0)
    page = open_dashboard()
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function("document.querySelector('.uplot').offsetWidth < 400")

    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_one_figure_is_drawn_as_a_point(open_dashboard):
    Stat.objects.create(kpi="revenue", year=2020, month=3, value=12)
    page = open_dashboard()

    wait_for_colors(page, lambda seen: len(seen) > 3)


def test_gaps_and_long_names_do_not_stretch_the_page(open_dashboard):
    long_name = "EBITDA margin before special items and discontinued operations"
    Stat.objects.bulk_create(
        Stat(kpi=name, year=year, month=month, value=month)
        for name in ("churn", long_name)
        for year in range(2000, 2020)
        for month in range(1, 13)
        if not (name == "churn" and month == 5)
    )
    page = open_dashboard(viewport={"width": 390, "height": 800})

    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator(".months summary").click()
    # The cells hold text for screen readers only, which must not extend the page.
    beyond = "document.documentElement.scrollHeight - document.body.getBoundingClientRect().height"
    assert page.evaluate(beyond) < 2
    drawn = page.evaluate("document.querySelector('.u-over').offsetWidth")
    assert drawn > 200


def test_admin_works_under_the_policy(open_dashboard, live_server):
    page = open_dashboard()
    get_user_model().objects.update(is_staff=True, is_superuser=True)
    page.goto(f"{live_server.url}/admin/stats/stat/add/")
    for name, value in {"kpi": "revenue", "month": "2020-03", "value": "1.5"}.items():
        page.locator(f"[name={name}]").fill(value)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="revenue", exact=True).first.click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Yes").click()

    assert "was deleted successfully" in page.locator(".messagelist").inner_text()
