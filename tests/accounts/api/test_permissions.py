import pytest
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.urls import include, path
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import HasScope, InGroup, IsPerson, group_required
from accounts.testing import mint_machine_token

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Anything(APIView):
    permission_classes = (IsAuthenticated,)

    def get(self, request):
        return Response({"ok": True})


def view(*permissions):
    return Anything.as_view(permission_classes=permissions)


@group_required("admins", "editors")
def for_groups(request):
    return HttpResponse("in")


urlpatterns = [
    path("scope", view(HasScope("stats/write"))),
    path("scopes", view(HasScope("stats/read", "stats/write"))),
    path("users", view(HasScope("stats/read", "stats/write", users=True))),
    path("group", view(InGroup("admins", "editors"))),
    path("either", view(HasScope("stats/write") | InGroup("admins"))),
    path("both", view(HasScope("stats/write") & InGroup("admins"))),
    path("mixed", view(IsAuthenticated & ~InGroup("banned"))),
    path("person", view(IsPerson | HasScope("stats/read"))),
    path("page/group", for_groups),
    path("page/login", login_required(lambda request: HttpResponse("in"))),
    path(
        "page/permission",
        permission_required("stats.add_stat")(lambda request: HttpResponse("in")),
    ),
    path("", include("sso_project.urls")),
]

CASES = [
    # address, groups, scopes, let in
    ("scope", [], ["stats/write"], False),
    ("scope", ["admins"], ["stats/write"], False),
    ("users", [], ["stats/read", "stats/write"], True),
    ("users", ["admins"], ["stats/write"], False),
    ("group", ["editors"], [], True),
    ("group", ["admins", "other"], [], True),
    ("group", ["other"], ["admins"], False),
    ("group", [], [], False),
    ("either", ["admins"], [], True),
    ("either", ["editors"], ["stats/write"], False),
    ("both", ["admins"], ["stats/write"], False),
    ("mixed", [], [], True),
    ("mixed", ["banned"], [], False),
    ("person", [], [], True),
]


@pytest.mark.parametrize(("address", "groups", "scopes", "let_in"), CASES)
def test_token_is_let_in_by_its_scopes_and_groups(cognito_client, address, groups, scopes, let_in):
    client = cognito_client("ada", groups=groups, scopes=scopes, session=False)
    assert client.get(f"/{address}").status_code == (200 if let_in else 403)


@pytest.mark.parametrize("address", ["scope", "group", "either", "both", "mixed", "person"])
def test_nobody_gets_a_bare_challenge(cognito_client, address):
    answer = cognito_client.anonymous().get(f"/{address}")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize(
    ("address", "says"),
    [("scope", "stats/write"), ("both", "stats/write"), ("group", "admins or editors")],
)
def test_403_says_what_is_missing(cognito_client, address, says):
    answer = cognito_client("ada", session=False).get(f"/{address}")
    assert answer.status_code == 403
    assert answer.json()["code"] == "insufficient_scope"
    assert says in answer.json()["detail"]
    header = answer.headers["WWW-Authenticate"]
    assert header.startswith('Bearer realm="api", error="insufficient_scope"')
    assert ('scope="stats/write"' in header) == (address != "group")


def test_session_knows_groups_but_carries_no_scope(cognito_client):
    client = cognito_client("ada", groups=["admins"], scopes=["stats/write"], bearer=False)
    assert client.get("/group").status_code == 200
    assert client.get("/scope").status_code == 403


def test_machine_is_let_in_by_scope_alone(cognito_client):
    machine = cognito_client.machine(scopes=["stats/read"])
    assert machine.get("/person").status_code == 200
    assert machine.get("/group").status_code == 403
    assert cognito_client.machine(scopes=["other"]).get("/person").status_code == 403


@pytest.mark.parametrize(
    ("address", "scopes", "let_in"),
    [
        ("scope", ["stats/write"], True),
        ("scope", ["stats/read"], False),
        ("scopes", ["stats/read", "stats/write"], True),
        ("scopes", ["stats/write"], False),
        ("users", ["stats/read", "stats/write"], True),
        ("either", ["stats/write"], True),
        ("both", ["stats/write"], False),
    ],
)
def test_machine_needs_every_scope(cognito_client, address, scopes, let_in):
    machine = cognito_client.machine(scopes=scopes)
    assert machine.get(f"/{address}").status_code == (200 if let_in else 403)


def test_machine_is_in_no_group_whatever_its_token_contains(cognito_client):
    machine = cognito_client.anonymous()
    machine.bear(mint_machine_token(claims={"cognito:groups": ["admins"]}))
    assert machine.get("/group").status_code == 403


def test_arguments_are_required():
    with pytest.raises(ValueError, match="at least one scope"):
        HasScope()
    with pytest.raises(ValueError, match="at least one group"):
        InGroup()
    with pytest.raises(TypeError, match="needs groups"):
        group_required(for_groups)


def test_page_for_a_group(cognito_client):
    assert cognito_client("grace", groups=["editors"]).get("/page/group").status_code == 200
    assert cognito_client("linus").get("/page/group").status_code == 403


@pytest.mark.parametrize("page", ["/page/group?a=1", "/page/login", "/page/permission"])
def test_nobody_is_sent_to_sign_in_and_comes_back(cognito_client, page):
    answer = cognito_client.anonymous().get(page)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/login/?next=/page/")


def test_permission_required_ends_at_the_403_page_and_not_in_a_circle(cognito_client):
    client = cognito_client("linus")
    answer, steps = client.get("/page/permission"), 0
    while answer.status_code == 302:
        answer, steps = client.get(answer.headers["Location"]), steps + 1
        assert steps < 5
    assert answer.status_code == 403


def test_permission_required_lets_in_who_has_it(cognito_client):
    client = cognito_client("grace")
    client.user.user_permissions.add(Permission.objects.get(codename="add_stat"))
    assert client.get("/page/permission").status_code == 200


@pytest.fixture
def _login_required_everywhere(settings):
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]


@pytest.mark.usefixtures("_login_required_everywhere")
def test_login_required_middleware_lets_people_sign_in_and_out(cognito_client):
    client = cognito_client("ada")
    assert client.get("/page/login").status_code == 200
    assert client.post("/accounts/logout/").status_code == 302
    assert client.get("/signout").status_code == 200


@pytest.mark.usefixtures("_login_required_everywhere")
def test_login_required_middleware_leaves_the_api_to_tokens(cognito_client):
    assert cognito_client("ada", session=False).get("/api/user").status_code == 200
    assert cognito_client.anonymous().get("/api/user").status_code == 401
    assert cognito_client.anonymous().get("/api/info/server").status_code == 200
    assert cognito_client.anonymous().get("/openapi.json").status_code == 200
