import pytest
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.urls import include, path
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import HasScope, InGroup, IsUser, group_required
from accounts.testing import mint_machine_token

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class SignedInView(APIView):
    permission_classes = (IsAuthenticated,)

    def get(self, request):
        return Response({"ok": True})


def view(*permissions):
    return SignedInView.as_view(permission_classes=permissions)


class LockedView(SignedInView):
    permission_classes = (HasScope("stats/write") | IsUser,)

    def get(self, request):
        raise PermissionDenied("This figure is locked.")


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
    path("user", view(IsUser | HasScope("stats/read"))),
    path("locked", LockedView.as_view()),
    path("page/group", for_groups),
    path("page/login", login_required(lambda request: HttpResponse("in"))),
    path(
        "page/permission",
        permission_required("stats.add_stat")(lambda request: HttpResponse("in")),
    ),
    path("", include("sso_project.urls")),
]

CASES = [
    # endpoint, groups, scopes, allowed
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
    ("user", [], [], True),
]


@pytest.mark.parametrize(("endpoint", "groups", "scopes", "allowed"), CASES)
def test_token_is_accepted_by_its_scopes_and_groups(
    cognito_client, endpoint, groups, scopes, allowed
):
    client = cognito_client("ada", groups=groups, scopes=scopes, session=False)
    assert client.get(f"/{endpoint}").status_code == (200 if allowed else 403)


@pytest.mark.parametrize("endpoint", ["scope", "group", "either", "both", "mixed", "user"])
def test_anonymous_request_gets_a_challenge_without_error(cognito_client, endpoint):
    response = cognito_client.anonymous().get(f"/{endpoint}")
    assert response.status_code == 401
    challenge = response.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="api", resource_metadata="')


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [("scope", "stats/write"), ("both", "stats/write"), ("group", "admins or editors")],
)
def test_403_names_the_missing_scope_or_group(cognito_client, endpoint, message):
    response = cognito_client("ada", session=False).get(f"/{endpoint}")
    assert response.status_code == 403
    assert response.json()["code"] == "insufficient_scope"
    assert message in response.json()["detail"]
    header = response.headers["WWW-Authenticate"]
    assert header.startswith('Bearer realm="api", error="insufficient_scope"')
    assert ('scope="stats/write"' in header) == (endpoint != "group")


def test_view_that_refuses_in_its_own_words_keeps_them(cognito_client):
    response = cognito_client("ada", session=False).get("/locked")
    assert response.status_code == 403
    assert response.json()["detail"] == "This figure is locked."
    assert response.json()["code"] == "permission_denied"
    assert "stats/write" not in response.headers.get("WWW-Authenticate", "")


def test_session_has_groups_but_no_scopes(cognito_client):
    client = cognito_client("ada", groups=["admins"], scopes=["stats/write"], bearer=False)
    assert client.get("/group").status_code == 200
    assert client.get("/scope").status_code == 403


def test_machine_is_accepted_by_scope_alone(cognito_client):
    machine = cognito_client.machine(scopes=["stats/read"])
    assert machine.get("/user").status_code == 200
    assert machine.get("/group").status_code == 403
    assert cognito_client.machine(scopes=["other"]).get("/user").status_code == 403


@pytest.mark.parametrize(
    ("endpoint", "scopes", "allowed"),
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
def test_machine_needs_every_scope(cognito_client, endpoint, scopes, allowed):
    machine = cognito_client.machine(scopes=scopes)
    assert machine.get(f"/{endpoint}").status_code == (200 if allowed else 403)


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


def test_group_required_page_needs_a_group(cognito_client):
    assert cognito_client("grace", groups=["editors"]).get("/page/group").status_code == 200
    assert cognito_client("linus").get("/page/group").status_code == 403


@pytest.mark.parametrize("page", ["/page/group?a=1", "/page/login", "/page/permission"])
def test_anonymous_visitor_is_redirected_to_sign_in(cognito_client, page):
    response = cognito_client.anonymous().get(page)
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/accounts/login/?next=/page/")


def test_permission_required_ends_at_the_403_page_without_a_loop(cognito_client):
    client = cognito_client("linus")
    response, steps = client.get("/page/permission"), 0
    while response.status_code == 302:
        response, steps = client.get(response.headers["Location"]), steps + 1
        assert steps < 5
    assert response.status_code == 403


def test_permission_required_accepts_users_with_the_permission(cognito_client):
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
def test_login_required_middleware_allows_sign_in_and_sign_out(cognito_client):
    client = cognito_client("ada")
    assert client.get("/page/login").status_code == 200
    assert client.post("/accounts/logout/").status_code == 302
    assert client.get("/signout").status_code == 200


@pytest.mark.usefixtures("_login_required_everywhere")
def test_login_required_middleware_does_not_affect_the_api(cognito_client):
    assert cognito_client("ada", session=False).get("/api/user").status_code == 200
    assert cognito_client.anonymous().get("/api/user").status_code == 401
    assert cognito_client.anonymous().get("/api/info/server").status_code == 200
    assert cognito_client.anonymous().get("/openapi.json").status_code == 200
