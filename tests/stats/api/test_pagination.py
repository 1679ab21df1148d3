"""Cursors, and pages in both directions in every ordering."""

import json
from itertools import chain, permutations, product

import pytest
from django.core.signing import Signer, b64_encode

from stats.filters import ORDERINGS
from stats.models import Stat
from tests.stats.api.conftest import STATS

pytestmark = pytest.mark.django_db


def encoded(value):
    """Return the content of a cursor, without a signature."""
    text = value if isinstance(value, str) else json.dumps(value)
    return b64_encode(text.encode()).decode()


POSITIONS = {
    "nothing": [],
    "too few": ["n", ["201901"]],
    "too many": ["n", ["201901", "cost", 1]],
    "null": ["n", [None, None]],
    "numbers": ["n", [1, 2]],
    "objects": ["n", [{}, []]],
    "a huge number": ["n", [10**400, "cost"]],
    "NUL": ["n", ["\0", "cost"]],
    "a lone surrogate": ["n", ["\ud800", "cost"]],
    "a long text": ["n", ["2" * 100_000, "cost"]],
    "the first moment": ["n", ["0001-01-01T00:00:00+23:59", "cost"]],
    "the last moment": ["n", ["9999-12-31T23:59:59-23:59", "cost"]],
    "deep": "[" * 5000,
    "deep and closed": "[" * 5000 + "]" * 5000,
    "NaN": '["n",[NaN,Infinity]]',
    "many digits": '["n",[' + "9" * 5000 + ',"cost"]]',
    "another direction": ["x", ["201901", "cost"]],
}
TEXTS = [
    "",
    "\0",
    "x",
    ":",
    "::",
    ".",
    "ü",
    "\u00b3",
    "\U0001f600",
    "=",
    "W" * 100_000,
    ":" * 10_000,
]


@pytest.mark.parametrize("ordering", ["period", *ORDERINGS, "-createdDate"])
@pytest.mark.usefixtures("no_garbage_collection")
def test_forged_cursor_is_400(reader, some_figures, ordering):
    signature = Signer().signature("x")
    made = [encoded(position) for position in POSITIONS.values()]
    signed_for_something_else = [Signer().sign(text) for text in made]
    forged = [f"{text}:{signature}" for text in made]
    for cursor in [*TEXTS, *made, *forged, *signed_for_something_else]:
        response = reader.get(STATS, {"cursor": cursor, "ordering": ordering})
        assert (cursor[:60], response.status_code) == (cursor[:60], 400)
        assert response.json()["code"] == "invalid"
        assert set(response.json()["fields"]) == {"cursor"}


def test_changed_cursor_is_400(reader, some_figures):
    following = reader.get(f"{STATS}?limit=5").json()["next"]
    start = following.index("cursor=") + len("cursor=")
    for place in range(start, following.index("&", start)):
        other = "A" if following[place] != "A" else "B"
        changed = following[:place] + other + following[place + 1 :]
        assert (place, reader.get(changed).status_code) == (place, 400)


def test_cursor_is_valid_after_a_rotation_of_the_secret_key(reader, some_figures, settings):
    following = reader.get(f"{STATS}?limit=5").json()["next"]
    expected = reader.get(following).json()["data"]
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-key-of-this-test-0123456789-0123456789"
    page = reader.get(following)
    assert page.status_code == 200
    assert page.json()["data"] == expected


NAMES = [sign + name for name in ORDERINGS for sign in ("", "-")]


@pytest.fixture
def ties(db):
    """Twelve figures with repeated values, years and months."""
    return Stat.objects.bulk_create(
        Stat(kpi=kpi, year=year, month=month, value=month // 2)
        for kpi in ("cost", "Revenue")
        for year in (2019, 2020)
        for month in (1, 2, 3)
    )


def pages(reader, url, way):
    while url:
        page = reader.get(url)
        assert page.status_code == 200, (url, page.content)
        yield page.json()
        url = page.json()[way]


def ids(stats):
    return [stat["id"] for stat in stats]


@pytest.mark.parametrize("first", ORDERINGS)
def test_every_pair_of_columns_is_paged_in_both_directions(reader, ties, first):
    """A repeated column counts once, even with another direction.

    The way back through a list is that of both columns in the other direction.
    """
    for second in NAMES:
        url = f"{STATS}?ordering={first},{second}"
        whole = ids(json.loads(reader.get(url).getvalue())["data"])
        assert len(set(whole)) == len(ties)
        forth = list(pages(reader, f"{url}&limit=5", "next"))
        assert ids(chain.from_iterable(page["data"] for page in forth)) == whole
        back = list(pages(reader, forth[-1]["previous"], "previous"))[::-1]
        back.append(forth[-1])
        assert ids(chain.from_iterable(page["data"] for page in back)) == whole


@pytest.mark.parametrize("name", ORDERINGS)
def test_repeated_column_is_ignored(reader, ties, name):
    for sign, other in product(("", "-"), repeat=2):
        once = json.loads(reader.get(f"{STATS}?ordering={sign}{name}").getvalue())
        twice = reader.get(f"{STATS}?ordering={sign}{name}, {other}{name}")
        assert json.loads(twice.getvalue()) == once


def test_three_names_with_one_column_twice(reader, ties):
    for names in permutations(("year", "-year", "value")):
        url = f"{STATS}?ordering={','.join(names)}&limit=5"
        assert len(list(pages(reader, url, "next"))) == 3
