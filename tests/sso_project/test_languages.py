"""The pages and messages in another language than English, and the choice of the language."""

import re

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.cognito.hosted_ui_parameters import LANGUAGES, hosted_ui_language
from accounts.problems.catalog import PROBLEMS
from accounts.problems.provider_reasons import Kind, reason_for
from accounts.testing.fake import FakeUser
from tests.flows.conftest import query_of
from tools import messages

pytestmark = pytest.mark.django_db
GERMAN = {"accept-language": "de-AT,de;q=0.9,en;q=0.5"}


@pytest.fixture(autouse=True)
def _usual_language_afterwards():
    """A request leaves its language active in the thread."""
    yield
    translation.deactivate()


def english_sentences():
    """Return the messages that differ in German and are too long to be there by chance."""
    for application in messages.APPLICATIONS:
        for message in messages.stored(application, "de"):
            if isinstance(message.id, str) and message.id.count(" ") > 1 and "%" not in message.id:
                assert message.string != message.id
                yield message.id


ENGLISH = sorted(set(english_sentences()))


def assert_german(text):
    assert '<html lang="de"' in text
    visible = re.sub(r"<script.*?</script>|\s+", " ", text)
    assert [sentence for sentence in ENGLISH if sentence in visible] == []


@pytest.fixture
def ada(cognito_client):
    return cognito_client("ada", groups=("admins",), bearer=False)


PUBLIC = ["home", "server", "docs", "accounts:logout", "accounts:signed_out"]
PRIVATE = ["home", "accounts:profile", "accounts:sign_out_everywhere", "accounts:signed_out"]
PRIVATE += ["stats:dashboard", "stats:add", "admin:index", "admin:accounts_invitations"]
PRIVATE += ["admin:accounts_user_changelist", "admin:accounts_signin_changelist"]
PRIVATE += ["admin:stats_stat_changelist", "admin:stats_stat_import", "admin:stats_stat_export"]


@pytest.mark.parametrize("name", PUBLIC)
def test_public_page_is_in_the_language_of_the_browser(client, name):
    assert_german(client.get(reverse(name), headers=GERMAN).text)


@pytest.mark.parametrize("name", PRIVATE)
def test_page_of_a_user_is_in_the_language_of_the_browser(ada, name):
    assert_german(ada.get(reverse(name), headers=GERMAN).text)


def test_dates_have_the_format_of_the_language(ada):
    dates = re.findall(r"<time[^>]*>([^<]*)</time>", ada.get("/profile/", headers=GERMAN).text)
    assert re.fullmatch(r"\d{1,2}\. \w+ \d{4} \d\d:\d\d", dates[0]), dates
    assert dates[1:] == ["gerade eben", "gerade eben"]


@pytest.mark.parametrize("language", [None, "fr", "en-GB", "xx"])
def test_other_languages_are_english(client, language):
    headers = {"accept-language": language} if language else {}
    response = client.get("/", headers=headers)
    assert '<html lang="en"' in response.text
    assert "Create account" in response.text


def test_error_pages_are_in_the_language_of_the_browser(client, ada):
    assert_german(client.get("/nosuch", headers=GERMAN).text)
    assert_german(ada.get("/profile/sessions/1/end/", headers=GERMAN).text)
    forms = Client(enforce_csrf_checks=True)
    forms.cookies = ada.cookies
    assert_german(forms.post("/profile/sessions/1/end/", headers=GERMAN).text)
    with translation.override("de"):
        for template in ("400.html", "500.html", "503.html", "docs/oauth2_redirect.html"):
            assert_german(render_to_string(template))


def test_error_before_the_view_is_in_the_language_of_the_browser(client, settings):
    settings.DEBUG = False
    assert_german(client.get("/", headers={**GERMAN, "host": "evil.example"}).text)


def test_each_problem_is_translated():
    with translation.override("de"):
        for problem in PROBLEMS.values():
            assert problem.translated().title != problem.title
            assert problem.sentence != f"{problem.what} {problem.next_step}"
        reason = reason_for("access_denied", "PreSignUp failed with error no.")
        assert reason.kind is Kind.RULE
        assert translation.gettext(reason.why) != reason.why


def test_problem_of_a_sign_in_is_in_the_language_of_the_browser(client, cognito):
    start = client.get("/accounts/login/", headers=GERMAN)
    callback = {"error": "access_denied", "state": query_of(start["Location"])["state"]}
    response = client.get("/signin", callback, headers=GERMAN)
    assert response.status_code == 400
    assert_german(response.text)
    assert "Die Anmeldung wurde abgebrochen." in response.text


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/user", "not_authenticated"),
        ("/api/nosuch", "not_found"),
        ("/profile/", "not_authenticated"),
    ],
)
def test_refusal_has_a_detail_in_the_language_of_the_client(client, path, code):
    headers = {"accept": "application/json"}
    english, german = (client.get(path, headers=more) for more in (headers, headers | GERMAN))
    assert english.status_code == german.status_code
    assert (english.json()["code"], german.json()["code"]) == (code, code)
    assert english.json()["detail"] != german.json()["detail"]
    assert german.json()["error"] == german.json()["detail"]


def test_challenge_of_the_api_is_in_english(client):
    header = {"authorization": "Bearer no-token"}
    english, german = (client.get("/api/user", headers=more) for more in (header, header | GERMAN))
    assert english["WWW-Authenticate"] == german["WWW-Authenticate"]


def test_openapi_document_is_the_same_in_all_languages(client):
    document = client.get("/openapi.json")
    assert client.get("/openapi.json", headers=GERMAN).content == document.content
    assert client.get("/openapi.json?lang=de").content == document.content


def test_caches_do_not_mix_languages(client):
    response = client.get("/", headers=GERMAN)
    assert response["Content-Language"] == "de"
    vary = {name.strip().lower() for name in response["Vary"].split(",")}
    assert {"accept-language", "cookie"} <= vary


def test_static_file_is_the_same_in_all_languages(client):
    assert finders.find("css/base.css")
    response = client.get("/static/css/base.css", headers=GERMAN)
    assert "Accept-Language" not in response.get("Vary", "")
    assert "Content-Language" not in response
    response.close()


# --- The choice -----------------------------------------------------------------------------------


def test_choice_is_kept_and_returns_to_the_page(client):
    page = client.get("/server/?a=1")
    assert 'name="next" value="/server/?a=1"' in page.text
    chosen = client.post("/language/", {"language": "de", "next": "/server/?a=1"})
    assert (chosen.status_code, chosen["Location"]) == (302, "/server/?a=1")
    assert_german(client.get("/server/", headers={"accept-language": "en"}).text)
    client.post("/language/", {"language": "en", "next": "/"})
    assert '<html lang="en"' in client.get("/", headers=GERMAN).text


def test_current_language_is_marked(client):
    buttons = re.findall(
        r'value="(\w\w)" lang="\w\w"( aria-current="true")?>(\w+)<', client.get("/").text
    )
    assert buttons == [("en", ' aria-current="true"', "English"), ("de", "", "Deutsch")]


@pytest.mark.parametrize("page", ["https://evil.example/", "//evil.example", "javascript:1"])
def test_choice_returns_to_this_site_only(client, page):
    assert client.post("/language/", {"language": "de", "next": page})["Location"] == "/"


@pytest.mark.parametrize("language", ["fr", "", "../de", "de\0"])
def test_unknown_language_changes_nothing(client, language):
    assert client.post("/language/", {"language": language, "next": "/"}).status_code == 302
    assert_german(client.get("/", headers=GERMAN).text)


def test_other_sites_cannot_choose():
    client = Client(enforce_csrf_checks=True)
    sent = {"language": "de", "next": "/"}
    for headers in ({}, {"origin": "https://evil.example"}, {"origin": "null"}):
        refused = client.post("/language/", sent, headers=headers)
        assert (refused.status_code, dict(refused.cookies)) == (403, {})
    assert client.post("/language/", sent, headers={"origin": "http://testserver"}).cookies
    assert client.get("/language/").status_code == 405


def test_page_offers_no_choice_without_another_language(client, settings):
    settings.USE_I18N = False
    assert 'action="/language/"' not in client.get("/").text


# --- The hosted UI --------------------------------------------------------------------------------


def test_hosted_ui_gets_the_language(client, cognito):
    for path in ("/accounts/login/", "/accounts/signup/"):
        assert query_of(client.get(path, headers=GERMAN)["Location"])["lang"] == "de"
        assert query_of(client.get(path)["Location"])["lang"] == "en"
        assert query_of(client.get(f"{path}?lang=ja", headers=GERMAN)["Location"])["lang"] == "ja"


def test_hosted_ui_gets_no_language_if_translations_are_off(client, cognito, settings):
    settings.USE_I18N, settings.LANGUAGE_CODE = False, "de"
    assert "lang" not in query_of(client.get("/accounts/login/")["Location"])


def test_second_attempt_has_the_language_too(client, cognito):
    query = query_of(client.get("/accounts/login/", headers=GERMAN)["Location"])
    cognito.authorize(FakeUser("ada", nonce=query["nonce"]))
    again = client.get("/signin", {"code": "no-code", "state": query["state"]}, headers=GERMAN)
    assert query_of(again["Location"])["lang"] == "de"


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("de", "de"),
        ("de-at", "de"),
        ("en-us", "en"),
        ("pt-br", "pt-BR"),
        ("pt", ""),
        ("zh-hans", "zh-CN"),
        ("zh-Hant", "zh-TW"),
        ("sv", ""),
        ("", ""),
    ],
)
def test_language_code_of_django_selects_one_of_the_hosted_ui(code, language):
    assert hosted_ui_language(code) == language
    assert language in ("", *LANGUAGES)
