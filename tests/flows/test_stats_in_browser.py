"""Figures in Chromium: grace adds and edits on pages, ada imports a file in the admin."""

import re

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from stats.models import Change, Stat
from tests.flows.test_browser import sign_in_as

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def test_editor_filters_adds_edits_and_deletes(page, site, pool, screenshot):
    call_command("seed_stats", until="2021-12", verbosity=0)
    sign_in_as(page, site, "grace")
    page.get_by_role("checkbox", name="profit").uncheck()
    page.wait_for_url("**/dashboard/?kpi=cost&kpi=revenue")
    expect(page.get_by_role("checkbox", name="profit")).to_be_focused()
    page.get_by_label("From").fill("2021-01")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**/dashboard/?kpi=cost&kpi=revenue&from=2021-01")
    view = page.url
    expect(page.locator(".latest__name")).to_have_text(["cost", "revenue"])
    page.mouse.move(*middle_of(page.locator(".u-over")))
    expect(page.locator(".chart__tip-month")).to_have_text(re.compile(r"\w+ 2021"))
    expect(page.locator(".chart__tip-row")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    assert len(download.value.path().read_text().splitlines()) == 1 + 24

    page.get_by_role("link", name="Add a figure").click()
    page.get_by_label("KPI").fill("cost")
    page.get_by_label("Month").fill("2022-01")
    page.get_by_label("Value").fill("1,234.5")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("Enter a number, with a point")).to_be_visible()
    expect(page.get_by_label("Month")).to_have_value("2022-01")
    screenshot(page, "figure-form-errors")
    page.get_by_label("Value").fill("1234.5")
    page.get_by_role("button", name="Add").click()
    page.wait_for_url(view)
    expect(page.get_by_role("status")).to_contain_text("Added cost for 2022-01: 1,234.5.")
    expect(page.locator(".latest__value").first).to_have_text("1,234.5")

    page.get_by_role("link", name="Edit cost 2022-01").click()
    page.get_by_label("Value").fill("7")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(view)
    page.get_by_role("link", name="Delete cost 2022-01").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Delete cost for 2022-01?")
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url(view)
    assert Stat.objects.count() == 108
    assert [str(change.by) for change in Change.objects.all()] == ["Grace Hopper"] * 3


def middle_of(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_admin_checks_imports_and_deletes_a_file(page, site, pool, screenshot, tmp_path):
    file = tmp_path / "figures.csv"
    file.write_text("kpi,year,month,value\nsales,2022,1,5\nsales,2022,2,6\n")
    page.goto(f"{site}/admin/stats/stat/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("Cognito-demo-1")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{site}/admin/stats/stat/")
    page.get_by_role("link", name="Import").click()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Nothing has been imported yet. 2 new")).to_be_visible()
    screenshot(page, "admin-import-preview")
    assert Stat.objects.count() == 0
    page.get_by_role("button", name="Import 2 rows").click()
    expect(page.get_by_text("Import finished: 2 new")).to_be_visible()

    page.locator("#id_form-0-value").fill("8.5")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("1 figure was changed")).to_be_visible()
    screenshot(page, "admin-figures")
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("delete_figures")
    page.locator("button[name=index]").click()
    expect(page.get_by_text("These 2 figures will be deleted permanently.")).to_be_visible()
    page.get_by_role("button", name="Delete 2").click()
    expect(page.get_by_text("Deleted 2 figures.")).to_be_visible()
    page.goto(f"{site}/admin/stats/change/")
    expect(page.locator("#result_list")).to_contain_text("sales 2022-02: 8.5")
