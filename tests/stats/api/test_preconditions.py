"""Conditional requests: each method with each form of each header (RFC 9110 section 13)."""

import json
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from stats.api.views import StatViewSet
from stats.models import Stat
from tests.rollback import rolled_back
from tests.stats.api.conftest import FIGURE, STATS

pytestmark = pytest.mark.django_db
BULK = f"{STATS}/bulk"
DONE = {"get": 200, "head": 200, "put": 200, "patch": 200, "delete": 204, "post": 201}
READING, WRITING = ("get", "head"), ("put", "patch", "delete")

# {etag} is the current entity tag without changes by a proxy, {tag} the text in its quotes.
IF_MATCH = {
    "*": True,
    " * ": True,
    "{etag}": True,
    '"other",{etag}': True,
    '"other" , {etag} ,': True,
    'W/"other", W/{etag}': True,  # made weak by a proxy that compresses, as nginx does
    '"{tag}-gzip"': True,  # Apache
    '"{tag}-br"': True,
    '"{tag};gzip"': True,
    '"{tag}--gzip"': True,  # Jetty
    'W/"{tag}-gzip"': True,
    '"other"': False,
    '"{tag}0"': False,
    '"0{tag}"': False,
    '"{tag}-gzip-1"': False,
    '"{tag}-GZIP"': False,
    '"-gzip"': False,
    'w/"{tag}"': False,
    'W/W/"{tag}"': False,
    'W/ "{tag}"': False,
    '"W/{tag}"': False,
    "{tag}": False,
    "'{tag}'": False,
    '"{tag}': False,
    '{tag}"': False,
    '"{tag}"x': False,
    '"{tag}" "other"': False,
    '"*"': False,
    "W/*": False,
    '*, "other"': False,
    "": False,
    ",": False,
    '"': False,
    "nonsense": False,
}


def send(client, method, url, **headers):
    """Send FIGURE with the value 1, or with another month if a second one would be refused."""
    body = json.dumps({**FIGURE, "value": 1, "month": 4 if method == "post" else 3})
    if method in READING:
        return getattr(client, method)(url, headers=headers)
    return getattr(client, method)(url, data=body, content_type="application/json", headers=headers)


def filled_in(form, etag):
    return form.format(etag=etag, tag=etag.strip('"'))


@pytest.fixture
def figure(editor):
    """The URL and the entity tag of a figure."""
    response = editor.post(STATS, FIGURE, format="json")
    return response["Location"], response["ETag"]


def assert_refused(response, state, form):
    assert (form, response.status_code) == (form, 412)
    assert list(Stat.objects.values_list("version", "value")) == state


@pytest.mark.parametrize("method", [*READING, *WRITING])
def test_if_match(editor, figure, method):
    (url, etag), state = figure, list(Stat.objects.values_list("version", "value"))
    for form, matches in IF_MATCH.items():
        with rolled_back():
            response = send(editor, method, url, **{"If-Match": filled_in(form, etag)})
            if matches:
                assert (form, response.status_code) == (form, DONE[method])
            else:
                assert_refused(response, state, form)
                assert method == "head" or set(response.json()) == {"detail", "code", "error"}


@pytest.mark.parametrize("method", [*READING, *WRITING])
def test_if_none_match(editor, figure, method):
    (url, etag), state = figure, list(Stat.objects.values_list("version", "value"))
    for form, matches in IF_MATCH.items():
        with rolled_back():
            response = send(editor, method, url, **{"If-None-Match": filled_in(form, etag)})
            if not matches:
                assert (form, response.status_code) == (form, DONE[method])
            elif method in READING:
                assert (form, response.status_code, response["ETag"]) == (form, 304, etag)
                assert response.content == b""
            else:
                assert_refused(response, state, form)


@pytest.mark.parametrize("query", ["", "?limit=5", "?format=csv"])
def test_list(editor, figure, query):
    etag = editor.get(STATS + query)["ETag"]
    for form, matches in IF_MATCH.items():
        expected = {"If-Match": 200 if matches else 412, "If-None-Match": 304 if matches else 200}
        for name, status in expected.items():
            for method in READING:
                response = send(editor, method, STATS + query, **{name: filled_in(form, etag)})
                assert (form, name, response.status_code) == (form, name, status)


def test_figure_is_added_if_the_list_matches(editor, figure):
    etag, state = editor.get(STATS)["ETag"], list(Stat.objects.values_list("version", "value"))
    for form, matches in IF_MATCH.items():
        adding = "If-Match" if matches else "If-None-Match"
        refusing = "If-None-Match" if matches else "If-Match"
        header = filled_in(form, etag)
        with rolled_back():
            assert_refused(send(editor, "post", STATS, **{refusing: header}), state, form)
            added = send(editor, "post", STATS, **{adding: header})
            assert (form, added.status_code) == (form, 201)
            if matches:
                body, is_stale = {**FIGURE, "month": 5}, header.strip() != "*"
                again = editor.post(STATS, body, format="json", headers={"If-Match": header})
                assert (form, again.status_code) == (form, 412 if is_stale else 201)


@pytest.mark.parametrize(
    ("name", "header", "status"),
    [
        ("If-Match", "*", 412),
        ("If-Match", "{etag}", 412),
        ("If-None-Match", "*", 200),
        ("If-None-Match", "{etag}", 200),
    ],
)
def test_bulk_url_has_no_entity_tag(editor, figure, name, header, status):
    """Its URL does not support GET, so it has no entity tag."""
    body, headers = {"data": [{**FIGURE, "value": 1}]}, {name: filled_in(header, figure[1])}
    response = editor.post(BULK, body, format="json", headers=headers)
    assert response.status_code == status
    assert Stat.objects.get().value == (1 if status == 200 else 12.5)


@pytest.mark.parametrize("method", [*READING, *WRITING])
def test_if_match_is_evaluated_before_if_none_match(editor, figure, method):
    url, etag = figure
    both = send(editor, method, url, **{"If-Match": '"x"', "If-None-Match": etag})
    assert both.status_code == 412
    second = send(editor, method, url, **{"If-Match": etag, "If-None-Match": etag})
    assert second.status_code == (304 if method in READING else 412)
    passed = send(editor, method, url, **{"If-Match": etag, "If-None-Match": '"x"'})
    assert passed.status_code == DONE[method]


@pytest.mark.parametrize("method", [*READING, *WRITING])
@pytest.mark.parametrize("date", ["Sun, 06 Nov 1994 08:49:37 GMT", "nonsense", ""])
@pytest.mark.parametrize("name", ["If-Modified-Since", "If-Unmodified-Since", "If-Range"])
def test_dates_are_ignored(editor, figure, method, name, date):
    """There is no Last-Modified to compare a date with."""
    response = send(editor, method, figure[0], **{name: date})
    assert response.status_code == DONE[method]
    assert "Last-Modified" not in response


@pytest.mark.parametrize("method", WRITING)
@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
def test_conditions_are_ignored_if_the_request_fails_without_them(
    editor, cognito_client, figure, method, name
):
    """RFC 9110 section 13.2.1: normal checks come first."""
    headers = {name: '"x"' if name == "If-Match" else "*"}
    url = figure[0]
    assert send(cognito_client.anonymous(), method, url, **headers).status_code == 401
    reader = cognito_client("linus", session=False)
    assert send(reader, method, url, **headers).status_code == 403
    assert send(editor, method, f"{STATS}/999999", **headers).status_code == 404
    assert send(editor, "post", url, **headers).status_code == 405
    assert editor.options(url, headers=headers).status_code == 200
    assert editor.get(f"{STATS}?year=x", headers=headers).status_code == 400


@pytest.mark.parametrize("body", ["{", '{"month": 13}'])
def test_failed_condition_comes_before_an_invalid_body(editor, figure, body):
    for method, url in (("put", figure[0]), ("patch", figure[0]), ("post", STATS)):
        send_it = getattr(editor, method)
        response = send_it(
            url, data=body, content_type="application/json", headers={"If-Match": '"x"'}
        )
        assert (method, response.status_code) == (method, 412)


def test_refusal_contains_the_current_entity_tag(editor, figure):
    """Even if a proxy has changed the tag, the next request succeeds."""
    url, etag = figure
    refused = send(editor, "patch", url, **{"If-Match": f'"{etag.strip(chr(34))}-rewritten"'})
    assert refused.json()["code"] == "precondition_failed"
    assert etag in refused.json()["detail"]
    assert send(editor, "patch", url, **{"If-Match": etag}).status_code == 200


def test_tag_of_a_version_that_a_restored_backup_lost_matches_no_other(editor, figure):
    url, etag = figure
    stored = Stat.objects.values("value", "version", "updated_at").get()
    lost = send(editor, "patch", url, **{"If-Match": etag})["ETag"]
    Stat.objects.update(**stored)
    assert editor.get(url)["ETag"] == etag
    assert send(editor, "patch", url, **{"If-Match": etag}).status_code == 200
    assert send(editor, "patch", url, **{"If-Match": lost}).status_code == 412


def test_figure_is_not_added_if_the_list_changes_meanwhile(editor, monkeypatch):
    """The condition is evaluated again with the lock that excludes other writers."""
    etag = editor.get(STATS)["ETag"]
    read_values = StatViewSet._values

    def values(*args, **options):
        Stat.objects.create(**{**FIGURE, "kpi": "other"})
        return read_values(*args, **options)

    monkeypatch.setattr(StatViewSet, "_values", values)
    response = editor.post(STATS, FIGURE, format="json", headers={"If-Match": etag})
    assert response.status_code == 412
    assert [stat.kpi for stat in Stat.objects.all()] == ["other"]


def test_unchanged_response_has_the_headers_of_the_full_one(editor, figure):
    for url in (figure[0], STATS):
        full = editor.get(url)
        short = editor.get(url, headers={"If-None-Match": full["ETag"]})
        for name in ("ETag", "Cache-Control", "Vary"):  # RFC 9110 section 15.4.5
            assert short[name] == full[name]


@pytest.mark.django_db(transaction=True)
def test_repeated_header_lines_are_one_list(editor, live_server):
    created = editor.post(STATS, FIGURE, format="json")
    server = urlsplit(live_server.url)

    def status(*tags):
        connection = HTTPConnection(server.hostname, server.port, timeout=60)
        connection.putrequest("GET", urlsplit(created["Location"]).path)
        connection.putheader("Authorization", editor._credentials["HTTP_AUTHORIZATION"])
        for tag in tags:
            connection.putheader("If-None-Match", tag)
        connection.endheaders()
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.status

    assert status('"x"', created["ETag"]) == 304
    assert status(created["ETag"], '"x"') == 304
    assert status('"x"', '"y"') == 200
