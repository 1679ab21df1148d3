"""What a caller can do with figures, at /api/user and at the endpoints of the figures."""

import pytest

from accounts.testing import mint_machine_token

pytestmark = pytest.mark.django_db
NAMES = ("read", "add", "change", "delete")


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda new: new("linus", session=False), "read"),
        (lambda new: new("linus", bearer=False), "read"),
        (lambda new: new("grace", groups=["editors"], session=False), "read add change delete"),
        (lambda new: new("ada", groups=["admins"], bearer=False), "read add change delete"),
        (lambda new: new.machine(scopes=["stats/read"]), "read"),
        (lambda new: new.machine(scopes=["stats/write"]), "add change delete"),
        (lambda new: new.machine(scopes=["other"]), ""),
    ],
)
def test_rights_are_those_of_the_endpoints(cognito_client, make, expected):
    client = make(cognito_client)
    rights = client.get("/api/user").json()["data"]["figures"]
    assert [name for name in NAMES if rights[name]] == expected.split()
    requests = {
        "read": ("get", "/api/stats"),
        "add": ("post", "/api/stats"),
        "change": ("put", "/api/stats/1"),
        "delete": ("delete", "/api/stats/1"),
    }
    for name, (method, path) in requests.items():
        allowed = getattr(client, method)(path).status_code != 403
        assert allowed is rights[name], name


def test_client_that_can_only_read_has_no_right_to_write(client, cognito, settings):
    partner = "3examplepartner12345"
    settings.COGNITO = {
        **settings.COGNITO,
        "ACCEPTED_CLIENTS": [partner],
        "CLIENT_RIGHTS": {partner: "read"},
    }
    token = mint_machine_token(client_id=partner, scopes=["stats/read", "stats/write"])
    response = client.get("/api/user", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 200, response.text
    rights = response.json()["data"]["figures"]
    assert [name for name in NAMES if rights[name]] == ["read"]
