"""Templates and styles: contrast in both themes, nothing inline, and all templates render."""

import datetime
import re
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.paginator import Paginator
from django.http import QueryDict
from django.template.loader import get_template, render_to_string
from django.test import RequestFactory
from django.urls import resolve

from stats.charts import Point, build_chart
from stats.filters import FigureFilter
from stats.forms import FigureForm
from stats.models import Stat

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "templates"
CSS = ROOT / "static/css"
OWN_SCRIPTS = sorted((ROOT / "static/js").glob("*.js"))
TEMPLATE_NAMES = sorted(
    path.relative_to(TEMPLATES).as_posix()
    for path in TEMPLATES.rglob("*.*")
    if path.name != "layout.html"  # only for projects without a base.html, which have no styles
)

# --- Colors ---------------------------------------------------------------------------------------

TEXT, MARK = 4.5, 3.0  # WCAG 2.2, success criteria 1.4.3 and 1.4.11
GROUNDS = ("--paper", "--surface")
PAIRS = [
    *((name, ground, TEXT) for name in ("--ink", "--muted") for ground in GROUNDS),
    *((name, ground, TEXT) for name in ("--accent", "--accent-strong") for ground in GROUNDS),
    *((name, ground, TEXT) for name in ("--danger", "--notice") for ground in GROUNDS),
    *((f"--series-{n}", ground, TEXT) for n in (1, 2, 3) for ground in GROUNDS),  # names on lines
    *(("--on-accent", ground, TEXT) for ground in ("--accent", "--accent-strong", "--danger")),
    *(("--field-border", ground, MARK) for ground in GROUNDS),
]
LIGHT = "html:root {"
DARK_BY_SYSTEM = 'html:root:not([data-theme="light"]) {'
DARK_BY_CHOICE = 'html:root[data-theme="dark"] {'


def properties(selector: str) -> dict[str, str]:
    """Return the custom properties of one block of brand.css."""
    _, separator, rest = (CSS / "brand.css").read_text().partition(selector)
    assert separator, f"brand.css has no block {selector!r}"
    return dict(re.findall(r"(--[\w-]+):\s*([^;]+);", rest.partition("}")[0]))


def luminance(color: str) -> float:
    """Return the relative luminance of #rrggbb, as defined by WCAG."""
    assert re.fullmatch(r"#[0-9a-f]{6}", color), color
    channels = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_formula_matches_published_values():
    assert contrast("#000000", "#ffffff") == 21
    assert round(contrast("#767676", "#ffffff"), 2) == 4.54


@pytest.mark.parametrize("theme", [LIGHT, DARK_BY_CHOICE])
@pytest.mark.parametrize(("name", "ground", "least"), PAIRS)
def test_contrast_is_enough(theme, name, ground, least):
    colors = properties(theme)

    assert contrast(colors[name], colors[ground]) >= least


def test_dark_theme_is_the_same_for_system_and_choice():
    assert properties(DARK_BY_SYSTEM) == properties(DARK_BY_CHOICE)


def test_dark_theme_redefines_every_color():
    colors = {name for name, value in properties(LIGHT).items() if value.startswith(("#", "0 "))}

    assert colors == set(properties(DARK_BY_CHOICE))


def test_style_sheets_use_only_defined_properties_and_colors():
    names = set(properties(LIGHT))
    for sheet in sorted(CSS.glob("*.css")):
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
        assert set(re.findall(r"var\((--[\w-]+)", text)) <= names, sheet.name
        assert not re.search(r"url\(|@import", text), sheet.name
        if sheet.name != "brand.css":
            assert not re.search(r"#[0-9a-f]{3,8}\b(?=[;\s])|rgb\(|hsl\(", text), sheet.name


# --- Templates ------------------------------------------------------------------------------------

SOME_DAY = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
POINTS = [Point("a", "A", 2020, month, Decimal(month), month, SOME_DAY) for month in (1, 2, 4)]
CHART = build_chart(POINTS)
VIEW = SimpleNamespace(
    filter=FigureFilter(QueryDict()),
    choices=[SimpleNamespace(name="A", is_shown=True)],
    kpi_count=1,
    query=QueryDict(),
    default_from="",
    is_filtered=False,
    page=Paginator(POINTS, 2).page(1),
    sort="-period",
)
STAT = Stat(pk=1, kpi="A", year=2020, month=1, value=Decimal(1), updated_at=SOME_DAY)
CONTEXTS = {
    "server_info.html": {"server": {"rows": [("Framework", "Django")]}},
    "accounts/profile.html": {
        "profile": {
            "name": "Ada",
            "username": "ada",
            "email": "ada@example.com",
            "subject": "6f2b1c0e",
            "client_id": "4client",
            "groups": ["admins"],
            "access_token_expires_at": SOME_DAY,
            "signed_in_at": SOME_DAY,
        }
    },
    "accounts/problem.html": {
        "problem": {
            "title": "The sign-in service isn't responding",
            "what": "You are still signed in.",
            "why": "It did not respond in time.",
            "next_step": "Try again.",
            "action_label": "Try again",
            "action_url": "/accounts/login/",
            "command": "make run",
        },
        "reference": "7c1e09ab",
        "status": 503,
    },
    "stats/dashboard.html": {"chart": CHART, "view": VIEW},
    "stats/_filters.html": {"view": VIEW},
    "stats/_table.html": {"view": VIEW},
    "stats/figure_form.html": {"form": FigureForm(), "back": "/dashboard/"},
    "stats/figure_delete.html": {"stat": STAT, "back": "/dashboard/"},
    "stats/_latest.html": {"chart": CHART},
    "stats/_chart.html": {"chart": CHART},
}

HEADED_BY_SCRIPT = {"docs/swagger_ui.html"}  # Swagger UI adds its own heading


class Page(HTMLParser):
    """A parser that collects inline code, external URLs, IDs and tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.elsewhere: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.ids += [values["id"]] if "id" in values else []
        self.inline += [f"<{tag} {name}>" for name in values if re.match(r"on|style$", name)]
        if tag == "style":
            self.inline.append("<style>")
        if tag == "script" and "src" not in values and values.get("type") != "application/json":
            self.inline.append("<script>")
        if values.get("href", "").startswith("javascript:"):
            self.inline.append("javascript:")
        for name in ("src", "href") if tag in ("script", "link", "img") else ():
            if re.match(r"(https?:)?//", values.get(name, "")):
                self.elsewhere.append(values[name])


@pytest.mark.parametrize("name", TEMPLATE_NAMES)
def test_template_has_no_inline_code(name):
    page = Page((TEMPLATES / name).read_text())

    assert page.inline == []
    assert page.elsewhere == []


@pytest.mark.parametrize("script", OWN_SCRIPTS, ids=lambda path: path.name)
def test_script_writes_no_markup_and_no_styles(script):
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|\"style\""

    assert not re.search(forbidden, script.read_text())


@pytest.mark.django_db
@pytest.mark.parametrize("signed_in", [False, True], ids=["anonymous", "signed in"])
@pytest.mark.parametrize("name", [name for name in TEMPLATE_NAMES if "admin/" not in name])
def test_template_renders(name, signed_in, rf: RequestFactory):
    request = rf.get("/server/")
    request.resolver_match = resolve("/server/")
    request.user = (
        get_user_model().objects.create(username="p-1", first_name="Ada", is_staff=True)
        if signed_in
        else AnonymousUser()
    )
    html = render_to_string(name, {"layout": "base.html", **CONTEXTS.get(name, {})}, request)
    page = Page(html)

    assert page.inline == []
    assert sorted(page.ids) == sorted(set(page.ids))
    if re.match(r'{% extends (layout|"(base|standalone).html") %}', (TEMPLATES / name).read_text()):
        assert page.tags.count("h1") == (name not in HEADED_BY_SCRIPT)
        assert page.tags.count("main") == 1
        assert re.search(r"<title>\S", html)
    assert "{%" not in html
    assert "{{" not in html


@pytest.mark.parametrize("name", ["400.html", "500.html"])
def test_error_pages_need_no_context(name, settings):
    """Django renders them without a request, and the manifest of static files can be missing."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
    }
    settings.DEBUG = False
    html = get_template(name).render()

    assert 'href="/static/css/base.css"' in html
    assert Page(html).tags.count("h1") == 1


@pytest.mark.parametrize(
    ("address", "link"), [("/", "/"), ("/server/", "/server/"), ("/signout", None)]
)
@pytest.mark.django_db
def test_navigation_marks_the_current_page(client, address, link):
    html = client.get(address).content.decode()
    marked = re.findall(r'href="([^"]*)"\s+aria-current="page"', html)

    assert marked == ([link] if link else [])


@pytest.mark.django_db
def test_admin_has_the_brand_and_the_sign_out_of_accounts(admin_client):
    html = admin_client.get("/admin/").content.decode()
    page = Page(html)

    assert page.inline == []
    assert html.index("admin/css/dark_mode.css") < html.index("css/brand.css")
    assert html.index("css/brand.css") < html.index("css/admin.css")
    assert 'action="/accounts/logout/"' in html


@pytest.mark.django_db
def test_forbidden_page_links_to_another_sign_in(rf: RequestFactory):
    request = rf.get("/admin/", {"q": "a b"})
    request.user = get_user_model()(username="p-1", first_name="Grace")
    html = render_to_string("403.html", {}, request)

    assert "You're signed in as Grace" in html
    assert 'href="/accounts/login/?another=1&amp;next=%2Fadmin%2F%3Fq%3Da%2Bb"' in html


@pytest.mark.django_db
def test_site_name_and_logo_come_from_settings(client, settings):
    settings.SITE_NAME, settings.SITE_LOGO = "Harbour", ""
    html = client.get("/").content.decode()

    assert "Harbour</title>" in html
    assert "brand__logo" not in html


def test_theme_switch_matches_that_of_the_admin(settings):
    """Both use the same key, values and attribute."""
    import django.contrib.admin

    django_script = Path(django.contrib.admin.__file__).parent / "static/admin/js/theme.js"
    for script in (django_script, ROOT / "static/js/theme.js"):
        text = script.read_text()
        assert 'localStorage.getItem("theme")' in text
        assert 'localStorage.setItem("theme"' in text
        assert "dataset.theme =" in text
        assert {"auto", "light", "dark"} <= set(re.findall(r'"(\w+)"', text))
