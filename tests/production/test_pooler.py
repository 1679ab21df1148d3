"""The site behind PgBouncer in transaction mode, with the settings of docs/operations.md."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.imports import ROOT
from tests.production.test_two_instances import HOST, Browser
from tools.rehearsal.instances import Instance
from tools.rehearsal.services import PgBouncer

pytestmark = pytest.mark.xdist_group("production")
ROWS = 2_500  # several chunks of a streamed list
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")


@pytest.fixture
def pooled(site):
    """An instance of eight threads with two connections to the database."""
    paragraph = re.search(r"Behind PgBouncer in transaction mode.*?\n\n", OPERATIONS, re.DOTALL)[0]
    query, seconds = "?disable_server_side_cursors=true", "DATABASE_CONN_MAX_AGE=0"
    assert f"`{query}`" in paragraph
    assert f"`{seconds}`" in paragraph
    pooler = PgBouncer(site.folder, site.database.port, connections=2)
    changes = {
        "DATABASE_URL": pooler.url + query,
        "DATABASE_CONN_MAX_AGE": "0",
        "WEB_CONCURRENCY": "1",
    }
    instance = Instance(site.folder, "app-pooled", {**site.environment, **changes})
    yield instance
    instance.end()
    pooler.end()


def test_everything_works_and_long_lists_are_complete(site, pooled):
    fill = (
        "from stats.models import Stat; Stat.objects.all().delete()\n"
        f"from tests.stats.scale import fill; fill({ROWS})\n"
        "from accounts.models import SignInEvent as E\n"
        f"E.objects.bulk_create(E(kind='signed_in', pool_username='ada') for _ in range({ROWS}))\n"
        "print(E.objects.latest('pk').pk)"
    )
    event = site.manage("shell", "--verbosity", "0", "-c", fill).split()[-1]
    bearer = {**HOST, "Authorization": f"Bearer {site.pool.tokens_for('grace')['access_token']}"}
    cookies = Browser(site, "ada").http.cookies.get_dict()
    export = {"action": "export_csv", "_selected_action": event, "select_across": "1",
              "csrfmiddlewaretoken": cookies["csrftoken"]}  # fmt: skip

    def ask(path):
        if path.startswith("/api/"):
            response = requests.get(f"{pooled.url}{path}", headers=bearer, timeout=60)
        else:
            address = f"{pooled.url}{path}"
            response = requests.post(address, export, headers=HOST, cookies=cookies, timeout=60)
        assert response.status_code == 200, (path, response.text[:200])
        return response.text

    paths = ["/api/stats", "/api/stats?format=csv", "/admin/accounts/signinevent/", "/api/user"] * 6
    with ThreadPoolExecutor(8) as threads:
        responses = list(threads.map(ask, paths))
    assert {len(json.loads(text)["data"]) for text in responses[::4]} == {ROWS}
    assert {text.count("\n") for text in responses[1::4]} == {ROWS + 1}
    assert all(text.count("\n") > ROWS for text in responses[2::4])

    page, out = f"{pooled.url}/profile/", f"{pooled.url}/accounts/logout/"
    options = {"headers": HOST, "cookies": cookies, "allow_redirects": False, "timeout": 60}
    assert "ada@example.com" in requests.get(page, **options).text
    assert requests.post(out, export, **options).status_code == 302
    assert requests.get(page, **options).status_code == 302
