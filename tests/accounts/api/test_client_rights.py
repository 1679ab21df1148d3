"""The limits of app clients other than our own, for the tokens of all users."""

import copy
import json
import pickle

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.checks import run_checks
from django.core.exceptions import PermissionDenied
from django.db.models.signals import post_save
from django.urls import include, path
from rest_framework import serializers, viewsets
from rest_framework.permissions import (
    AllowAny,
    DjangoModelPermissions,
    IsAdminUser,
    IsAuthenticated,
)
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView

from accounts.api.bearer import authenticate_token
from accounts.models import Identity
from accounts.permissions import InGroup
from accounts.testing import mint_access_token, mint_machine_token
from accounts.testing.tokens import FOREIGN_ISSUER
from stats.models import Stat

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls(__name__),
    pytest.mark.usefixtures("cognito"),
]

User = get_user_model()
CLIENT = "3examplepartner12345"
SUPERUSERS = {"groups": ["managers"], "superuser": True}
GROUPS = {"admins": {"staff": True, "superuser": True}, "editors": "editors", "plain": "managers"}


class OpenView(APIView):
    permission_classes = (AllowAny,)

    def handle(self, request):
        return Response({"ok": True})

    get = post = put = patch = delete = handle


class FigureSerializer(serializers.ModelSerializer):
    class Meta:
        model = Stat
        fields = ("kpi",)


class Figures(viewsets.ModelViewSet):
    queryset = Stat.objects.all()
    serializer_class = FigureSerializer
    permission_classes = (DjangoModelPermissions,)


router = SimpleRouter()
router.register("figures", Figures)
urlpatterns = [
    path("open", OpenView.as_view()),
    path("signed-in", OpenView.as_view(permission_classes=[IsAuthenticated])),
    path("staff", OpenView.as_view(permission_classes=[IsAdminUser])),
    path("admins", OpenView.as_view(permission_classes=[InGroup("admins")])),
    path("editors", OpenView.as_view(permission_classes=[InGroup("editors")])),
    path("plain", OpenView.as_view(permission_classes=[InGroup("plain")])),
    path("managers", OpenView.as_view(permission_classes=[InGroup("managers")])),
    path("", include(router.urls)),
    path("", include("sso_project.urls")),
]


@pytest.fixture
def limit_client(settings):
    """A function that accepts a partner's client and limits it. None leaves it unlisted."""

    def set_limit(level=None, **options):
        settings.COGNITO = {
            **settings.COGNITO,
            "ACCEPTED_CLIENTS": [CLIENT],
            "GROUPS": GROUPS,
            "CLIENT_RIGHTS": {CLIENT: level} if level else {},
            **options,
        }

    return set_limit


@pytest.fixture
def client_with_token(cognito_client):
    """A function that returns a client with a token of an admin, issued to `client_id`."""

    def make(client_id=CLIENT, groups=("admins", "editors", "plain"), **options):
        client = cognito_client.anonymous()
        claims = {"client_id": client_id} if client_id else {}
        client.bear(mint_access_token(groups=groups, claims=claims, **options))
        return client

    return make


def principal(client_id=CLIENT, groups=("admins",)):
    return authenticate_token(mint_access_token(groups=groups, claims={"client_id": client_id}))[0]


ALL = {"staff", "admins", "editors", "plain"}


@pytest.mark.parametrize(
    ("level", "allowed"),
    [(None, {"editors", "plain"}), ("write", {"editors", "plain"}), ("staff", ALL)],
)
def test_only_a_client_with_staff_rights_acts_as_staff(
    limit_client, client_with_token, level, allowed
):
    limit_client(level)
    client = client_with_token()
    assert {name for name in ALL if client.post(f"/{name}").status_code == 200} == allowed
    assert Identity.objects.get().user.is_superuser


@pytest.mark.parametrize(
    ("level", "groups", "status"),
    [
        (None, ["admins"], 403),
        ("write", ["admins"], 403),
        ("staff", ["admins"], 400),
        ("write", ["editors"], 400),
        ("write", ["admins", "editors"], 400),
    ],
)
def test_superuser_permissions_need_a_client_with_staff_rights(
    limit_client, client_with_token, level, groups, status
):
    limit_client(level)
    client = client_with_token(groups=groups)
    assert client.post("/figures/", {}, format="json").status_code == status
    assert client.post("/api/stats", {}, format="json").status_code == status


def test_our_own_client_is_not_limited(limit_client, client_with_token):
    limit_client("read")
    assert {client_with_token(None).post(f"/{name}").status_code for name in ALL} == {200}


def test_sessions_are_not_limited(limit_client, cognito_client):
    limit_client("read")
    client = cognito_client("ada", groups=["admins"], bearer=False)
    assert client.get("/admin/").status_code == 200
    assert client.post("/staff").status_code == 200


def test_api_shows_only_effective_permissions(limit_client, client_with_token):
    limit_client()
    client = client_with_token(groups=["admins"])
    assert client.get("/api/user?include=permissions").json()["data"]["permissions"] == []
    stat = Permission.objects.filter(codename__endswith="_stat")
    Identity.objects.get().user.user_permissions.set(stat)
    permissions = client.get("/api/user?include=permissions").json()["data"]["permissions"]
    assert permissions == [f"stats.{verb}_stat" for verb in ("add", "change", "delete", "view")]
    limit_client("read")
    permissions = (
        client_with_token(groups=["admins"])
        .get("/api/user?include=permissions")
        .json()["data"]["permissions"]
    )
    assert permissions == ["stats.view_stat"]


@pytest.mark.parametrize("endpoint", ["open", "signed-in", "editors", "staff", "api/stats"])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_client_that_can_only_read_sends_no_unsafe_method(
    limit_client, client_with_token, endpoint, method
):
    limit_client("read")
    response = getattr(client_with_token(), method)(f"/{endpoint}")
    assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")
    assert CLIENT in response.json()["detail"]
    assert 'error="insufficient_scope"' in response["WWW-Authenticate"]


def test_client_that_can_only_read_reads(limit_client, client_with_token):
    limit_client("read")
    client = client_with_token()
    for endpoint in ("open", "signed-in", "editors", "api/stats", "api/user"):
        assert client.get(f"/{endpoint}").status_code == 200
        assert client.options(f"/{endpoint}").status_code == 200


@pytest.mark.parametrize(("level", "status"), [("read", 403), ("write", 400), (None, 400)])
def test_machines_are_limited_too(limit_client, cognito_client, level, status):
    limit_client(level)
    machine = cognito_client.anonymous()
    machine.bear(mint_machine_token(client_id=CLIENT, scopes=["stats/read", "stats/write"]))
    assert machine.get("/api/stats").status_code == 200
    assert machine.post("/api/stats", {}, format="json").status_code == status


def test_limits_depend_on_the_client_and_not_on_the_user(limit_client, client_with_token):
    limit_client()
    partner, own = client_with_token(), client_with_token(None)
    for _ in range(2):
        assert partner.post("/staff").status_code == 403
        assert own.post("/staff").status_code == 200


@pytest.mark.parametrize("listed", [False, True])
def test_clients_of_a_trusted_pool_are_limited(limit_client, client_with_token, settings, listed):
    """Even if the pool has a client with the ID of our own client."""
    own_id = settings.COGNITO["CLIENT_ID"]
    rules = {"bosses": SUPERUSERS, "plain": "proofreaders"}
    pool = {"clients": [CLIENT, own_id], "groups": rules}
    limit_client(
        "staff" if listed else None, TRUSTED_POOLS={FOREIGN_ISSUER.rpartition("/")[2]: pool}
    )
    client = client_with_token(groups=["bosses", "plain"], foreign=True)
    assert client.get("/managers").status_code == (200 if listed else 403)
    groups = ["managers", "proofreaders"] if listed else ["proofreaders"]
    assert client.get("/api/user").json()["data"]["groups"] == groups
    namesake = client_with_token(own_id, groups=["bosses"], foreign=True)
    assert namesake.get("/managers").status_code == 403


class TestLimitedUser:
    @pytest.fixture(autouse=True)
    def _limited(self, limit_client):
        limit_client()

    def test_limited_user_equals_the_stored_user(self):
        user, stored = principal(), User.objects.get()
        assert user == stored
        assert isinstance(user, User)
        assert user.__class__ is User
        assert hash(user) == hash(stored)
        assert (user.get_username(), user.email, str(user)) == (
            stored.get_username(),
            stored.email,
            str(stored),
        )
        assert Identity.objects.get(user=user).user == user
        assert list(user.identities.all()) == list(Identity.objects.all())

    @pytest.mark.parametrize("copy_user", [copy.copy, copy.deepcopy, lambda user: user])
    def test_copies_are_limited_too(self, copy_user):
        user = copy_user(principal())
        assert (user.is_staff, user.is_superuser) == (False, False)
        assert not user.has_perm("stats.add_stat")
        assert pickle.loads(pickle.dumps(user)).is_superuser is False  # our own
        assert not user.has_module_perms("stats")

    def test_asynchronous_permissions_are_limited_too(self):
        user = principal()
        user.refresh_from_db()
        assert not async_to_sync(user.ahas_perm)("stats.add_stat")
        assert not async_to_sync(user.ahas_perms)(["stats.add_stat"])
        assert not async_to_sync(user.ahas_module_perms)("stats")
        for name in ("all", "user", "group"):
            assert async_to_sync(getattr(user, f"aget_{name}_permissions"))() == set()

    @pytest.mark.parametrize("names", [None, ["first_name"], ["is_staff"], ["is_superuser"]])
    def test_refresh_from_db_keeps_the_limit(self, names):
        user = principal()
        user.refresh_from_db(fields=names)
        assert (user.is_staff, user.is_superuser) == (False, False)

    @pytest.mark.parametrize("names", [None, ["first_name"]])
    @pytest.mark.parametrize("loaded", [True, False])
    @pytest.mark.parametrize("assigned", [None, True, False])
    def test_save_does_not_change_status(self, names, loaded, assigned):
        user = principal()
        if loaded:
            user.refresh_from_db()
        if assigned is not None:
            user.is_staff = user.is_superuser = assigned
        user.first_name = "Augusta"
        senders = []

        def receive(sender, **kwargs):
            senders.append(sender)

        post_save.connect(receive)
        try:
            user.save(update_fields=names)
        finally:
            post_save.disconnect(receive)
        stored = User.objects.get()
        assert stored.first_name == "Augusta"
        assert (stored.is_staff, stored.is_superuser) == (True, True)
        assert senders == [User]

    @pytest.mark.parametrize(
        "options", [{"update_fields": ["is_superuser", "email"]}, {"force_insert": True}]
    )
    def test_writing_status_is_refused(self, options):
        user = principal()
        user.is_superuser = False
        with pytest.raises(PermissionDenied, match="app client"):
            user.save(**options)
        assert User.objects.get().is_superuser

    @pytest.mark.parametrize("name", ["is_staff", "is_superuser"])
    def test_status_of_a_deleted_user_raises_does_not_exist(self, name):
        """The API then responds with 401, even before it has read the revocation."""
        user = principal()
        User.objects.all().delete()
        with pytest.raises(User.DoesNotExist):
            getattr(user, name)

    def test_limited_user_can_be_deleted(self):
        principal().delete()
        assert not User.objects.exists()


class TestUserModelWithOwnPermissions:
    """The user model of a host project, with its own permission methods."""

    @pytest.fixture(autouse=True)
    def _own(self, limit_client, monkeypatch):
        limit_client()
        monkeypatch.setattr(User, "has_perm", lambda self, perm, obj=None: perm != "never")
        monkeypatch.setattr(User, "get_all_permissions", lambda self, obj=None: {"a.b", "a.view_b"})

    def test_staff_has_no_permissions_through_a_limited_client(self):
        user = principal()
        assert not user.has_perm("any")
        assert not user.has_perms(["any"])
        assert not user.has_module_perms("stats")
        assert user.get_all_permissions() == set()

    def test_other_users_have_their_own_permissions(self, limit_client):
        user = principal(groups=["editors"])
        assert user.has_perm("any")
        assert not user.has_perm("never")
        assert user.get_all_permissions() == {"a.b", "a.view_b"}
        limit_client("read")
        assert principal(groups=["editors"]).get_all_permissions() == {"a.view_b"}


@pytest.mark.parametrize(
    "rights",
    [
        {CLIENT: "admin"},
        {CLIENT: "READ"},
        {CLIENT: ""},
        {CLIENT: None},
        {CLIENT: ["read"]},
        {CLIENT: {"read": True}},
        [CLIENT],
        {"4testwebclient5suite6only7": "staff"},
    ],
    ids=json.dumps,
)
def test_malformed_rights_are_a_system_check_error(settings, rights):
    settings.COGNITO = {**settings.COGNITO, "ACCEPTED_CLIENTS": [CLIENT], "CLIENT_RIGHTS": rights}
    [message] = run_checks(tags=["configuration"])
    assert message.id == "accounts.E005"
    assert message.msg.startswith("COGNITO_CLIENT_RIGHTS")


def test_rights_of_an_unknown_client_are_a_system_check_warning(limit_client):
    limit_client("read")
    assert run_checks(tags=["configuration"]) == []
    limit_client("read", ACCEPTED_CLIENTS=[])
    [message] = run_checks(tags=["configuration"])
    assert message.id == "accounts.W005"
    assert CLIENT in message.msg
    pools = {"eu-west-1_Partner01": {"clients": [CLIENT]}}
    limit_client("read", ACCEPTED_CLIENTS=[], TRUSTED_POOLS=pools)
    assert run_checks(tags=["configuration"]) == []
