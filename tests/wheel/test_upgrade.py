"""An upgrade from the tables of the first version, with the data of a site in use."""

import pytest

pytestmark = pytest.mark.xdist_group("wheel")

COUNT = """
from django.contrib.auth.models import User
from cognito_sso.models import Identity, SignIn
print(User.objects.count(), Identity.objects.count(), SignIn.objects.live().count())
"""
APPLIED = """
from django.db import connection
with connection.cursor() as cursor:
    print([column.name for column in connection.introspection.get_table_description(
        cursor, "cognito_sso_identity")].count("pool_id"))
"""


def test_users_and_sessions_survive_an_upgrade(project):
    """The older tables are those after `migrate cognito_sso 0001`, with the rows of a sign-in."""

    def shell(code):
        return project.run("manage.py", "shell", "-v0", "-c", code).splitlines()[-1]

    with project.servers():
        browser, _ = project.sign_in()
        assert shell(COUNT) == "1 1 1"
    project.run("manage.py", "migrate", "cognito_sso", "0001")
    assert shell(APPLIED) == "0"
    project.run("manage.py", "migrate")
    assert shell(APPLIED) == "1"
    with project.servers():
        assert "Ada Lovelace" in browser.get(f"{project.url}/profile/", timeout=60).text
        project.sign_in()
        assert shell(COUNT) == "1 1 2"
