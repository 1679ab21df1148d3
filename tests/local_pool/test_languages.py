"""The language of the hosted UI: `lang`, its cookie, and what stays English."""

import re
from pathlib import Path

import pytest

import local_pool
from local_pool import languages

from .pages import Pages

TEMPLATES = Path(local_pool.__file__).parent / "templates"


def test_german_is_remembered_on_the_next_pages(app):
    pages = Pages(app.authorize_url(lang="de"))
    assert '<html lang="de">' in pages.text
    assert "<h1>Anmelden</h1>" in pages.text
    assert pages.session.cookies["lang"] == "de"
    pages.response = pages.session.get(app.authorize_url(), timeout=60)
    assert '<html lang="de">' in pages.text
    pages.follow("Konto anlegen")
    assert "<h1>Konto anlegen</h1>" in pages.text
    assert pages.submit("/signup", username="x", password="weak") is None
    assert pages.alert


@pytest.mark.parametrize("lang", [None, "en", "fr", "xx"])
def test_other_languages_are_english_and_say_so(app, lang):
    pages = Pages(app.authorize_url(lang=lang))
    assert '<html lang="en">' in pages.text
    assert "<h1>Sign in</h1>" in pages.text
    assert ("lang" in pages.session.cookies) is (lang in languages.COGNITO)


def test_classic_hosted_ui_is_english(app):
    app.pool.do("plan lite")
    pages = Pages(app.authorize_url(lang="de"))
    assert '<html lang="en">' in pages.text
    assert "lang" not in pages.session.cookies


def test_console_stays_english(app):
    pages = Pages(app.authorize_url(lang="de"))
    pages.response = pages.session.get(f"{app.pool.url}/_local/", timeout=60)
    assert '<html lang="en">' in pages.text


def test_every_marked_text_has_a_translation_and_every_translation_a_use():
    used = set()
    for file in TEMPLATES.glob("*.html"):
        used |= set(re.findall(r"\bt\(\"([^\"]+)\"\)", file.read_text()))
    assert used == set(languages.GERMAN)
