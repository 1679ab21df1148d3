"""The hooks of a host project's backend take effect however a user authenticates."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, SuspiciousOperation
from django.urls import reverse
from django.utils import timezone

from accounts.backends import CognitoBackend
from accounts.models import Identity, SignIn, SignInEvent
from accounts.provider import provider
from accounts.signin import break_glass
from accounts.testing import mint_access_token, subject_of
from accounts.testing.clients import CognitoClient
from accounts.testing.fake import FakeUser
from tests.flows.conftest import query_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_cache(cognito):
    cache.clear()


@pytest.fixture
def backend(settings):
    """A function that configures a backend class of this module."""

    def use(cls):
        settings.AUTHENTICATION_BACKENDS = [f"{__name__}.{cls.__qualname__}"]

    return use


# --- How users authenticate -----------------------------------------------------------------------


def sign_in(client, cognito, username):
    query = query_of(client.get(reverse("accounts:login"))["Location"])
    code = cognito.authorize(FakeUser(username, nonce=query["nonce"]))
    callback = {"code": code, "state": query["state"]}
    return client.get(reverse("accounts:callback"), callback)


def exchange_code(client, cognito, username):
    code = cognito.authorize(FakeUser(username))
    data = {"code": code, "redirectUri": "http://localhost:3000/signin"}
    return client.post("/api/auth/get-tokens", data, format="json")


def use_access_token(client, cognito, username):
    headers = {"Authorization": f"Bearer {mint_access_token(username)}"}
    return client.get("/api/user", headers=headers)


def renew(client):
    past = timezone.now() - timedelta(seconds=1)
    assert SignIn.objects.update(renew_at=past) == 1
    return client.get(reverse("accounts:profile"))


def renew_latest(client):
    """Renew the sign-in of a client that has signed in more than once."""
    SignIn.objects.live().update(renew_at=timezone.now() - timedelta(seconds=1))
    return client.get(reverse("accounts:profile"))


however_authenticated = pytest.mark.parametrize(
    "authenticate", [sign_in, exchange_code, use_access_token]
)


def code_of(response):
    """Return the stable code of a refusal, from the API's response or from the audit log."""
    if response.headers["Content-Type"].startswith("application/json"):
        return response.json()["code"]
    return SignInEvent.objects.get(kind="refused").reason


# --- Which hooks are called -----------------------------------------------------------------------

EXISTING_USER = ["get_userinfo", "verify_claims", "filter_users_by_claims", "update_user"]
NEW_USER = [*EXISTING_USER[:3], "create_user", "get_username", "update_user"]


class Recording(CognitoBackend):
    calls = ()

    @classmethod
    def record(cls, name):
        cls.calls = [*cls.calls, name]

    def get_userinfo(self, *args):
        self.record("get_userinfo")
        return super().get_userinfo(*args)

    def verify_claims(self, claims):
        self.record("verify_claims")
        return super().verify_claims(claims)

    def filter_users_by_claims(self, claims):
        self.record("filter_users_by_claims")
        return super().filter_users_by_claims(claims)

    def get_username(self, claims):
        self.record("get_username")
        return super().get_username(claims)

    def create_user(self, claims):
        self.record("create_user")
        return super().create_user(claims)

    def update_user(self, user, claims):
        self.record("update_user")
        return super().update_user(user, claims)


@however_authenticated
def test_hooks_are_called_in_the_librarys_order(cognito, backend, monkeypatch, authenticate):
    backend(Recording)
    for expected in (NEW_USER, EXISTING_USER):
        monkeypatch.setattr(Recording, "calls", [])
        assert authenticate(CognitoClient(), cognito, "ada").status_code < 400
        assert Recording.calls == expected


def test_renewal_calls_update_user_alone(client, cognito, backend, monkeypatch):
    backend(Recording)
    sign_in(client, cognito, "ada")
    monkeypatch.setattr(Recording, "calls", [])
    assert renew(client).status_code == 200
    assert Recording.calls == ["update_user"]
    assert cognito.calls[-1] == "refresh_token"


def test_access_token_seen_before_calls_no_hook(cognito, backend, monkeypatch):
    backend(Recording)
    headers = {"Authorization": f"Bearer {mint_access_token()}"}
    assert CognitoClient().get("/api/user", headers=headers).status_code == 200
    monkeypatch.setattr(Recording, "calls", [])
    assert CognitoClient().get("/api/user", headers=headers).status_code == 200
    assert Recording.calls == []


class Forgetful(CognitoBackend):
    def update_user(self, user, claims):
        super().update_user(user, claims)


@however_authenticated
def test_hook_that_returns_no_user_is_an_error_of_the_site(cognito, backend, authenticate):
    backend(Forgetful)
    response = authenticate(CognitoClient(), cognito, "ada")
    assert (response.status_code, code_of(response)) == (503, "configuration")


# --- verify_claims --------------------------------------------------------------------------------


class OnlyAda(CognitoBackend):
    def verify_claims(self, claims):
        return claims["sub"] == subject_of("ada")


@however_authenticated
def test_false_from_verify_claims_refuses_with_its_own_code(client, cognito, backend, authenticate):
    backend(OnlyAda)
    assert authenticate(CognitoClient(), cognito, "ada").status_code < 400
    response = authenticate(CognitoClient(), cognito, "mallory")
    assert (response.status_code, code_of(response)) == (403, "claims_refused")
    assert not Identity.objects.filter(subject=subject_of("mallory")).exists()
    assert "does not accept that account" in response.content.decode().replace("&#x27;", "'")


def test_refused_claims_are_recorded_with_the_pools_name_and_user_id(client, cognito, backend):
    backend(OnlyAda)
    page = sign_in(client, cognito, "mallory")
    assert "?another=1" in page.content.decode()  # or the hosted UI would send the same user again
    event = SignInEvent.objects.get(kind="refused")
    assert (event.user, event.pool_username, event.reason) == (None, "mallory", "claims_refused")
    assert event.details["subject"] == subject_of("mallory")
    assert event.details["why"] == "Claims verification failed"


class Suspicious(CognitoBackend):
    def update_user(self, user, claims):
        raise SuspiciousOperation("not from this country")


class Denied(CognitoBackend):
    def create_user(self, claims):
        raise PermissionDenied


@however_authenticated
@pytest.mark.parametrize("refusing", [Suspicious, Denied])
def test_exception_in_a_hook_refuses_the_sign_in(cognito, backend, authenticate, refusing):
    backend(refusing)
    response = authenticate(CognitoClient(), cognito, "ada")
    assert (response.status_code, code_of(response)) == (403, "claims_refused")


# --- filter_users_by_claims -----------------------------------------------------------------------


class ByUsername(CognitoBackend):
    """Matches a user of this site by the username in the token."""

    def filter_users_by_claims(self, claims):
        linked = super().filter_users_by_claims(claims)
        username = claims.verified.username
        return linked or list(self.UserModel.objects.filter(username=username))


@however_authenticated
def test_user_matched_by_a_hook_is_linked_to_the_identity(cognito, backend, authenticate):
    ada = get_user_model().objects.create_user("ada")
    backend(ByUsername)
    for _ in range(2):
        assert authenticate(CognitoClient(), cognito, "ada").status_code < 400
    identity = Identity.objects.get()
    assert (identity.user, identity.username) == (ada, "ada")
    event = SignInEvent.objects.get(kind="linked")
    assert (event.user, event.reason, event.pool_username) == (ada, "hook", "ada")
    assert get_user_model().objects.count() == 1


def test_matched_user_has_profile_and_groups_after_the_first_sign_in(cognito, backend):
    ada = get_user_model().objects.create_user("ada")
    backend(ByUsername)
    client = CognitoClient()
    client.sign_in(FakeUser("ada", groups=("editors",), name="Ada Lovelace"), cognito)
    assert client.user == ada
    assert client.user.first_name == "Ada Lovelace"
    assert [group.name for group in ada.groups.all()] == ["editors"]
    assert Identity.objects.get().name == "Ada Lovelace"


class MovesIdentities(CognitoBackend):
    """Moves the identity of a user to their other account, after it was read."""

    def filter_users_by_claims(self, claims):
        super().filter_users_by_claims(claims)
        other = self.UserModel.objects.get(username="other")
        Identity.objects.update(user=other)
        return [other]


def test_groups_are_applied_to_the_user_of_an_identity_that_a_hook_moves(cognito, backend):
    other = get_user_model().objects.create_user("other")
    CognitoClient().sign_in(FakeUser("ada"), cognito)
    backend(MovesIdentities)
    CognitoClient().sign_in(FakeUser("ada", groups=("editors",)), cognito)
    assert Identity.objects.get().user == other
    assert [group.name for group in other.groups.all()] == ["editors"]


class ByEmailAlone(CognitoBackend):
    def filter_users_by_claims(self, claims):
        email = claims.get("email", f"{claims.verified.username}@example.com")
        return self.UserModel.objects.filter(email=email)


@however_authenticated
def test_identity_is_never_moved_to_another_user(cognito, backend, settings, authenticate):
    """The email address now belongs to another user, but the identity is still linked."""
    assert authenticate(CognitoClient(), cognito, "ada").status_code < 400
    get_user_model().objects.update(email="")
    get_user_model().objects.create_user("boss", email="ada@example.com")
    backend(ByEmailAlone)
    response = authenticate(CognitoClient(), cognito, "ada")
    assert (response.status_code, code_of(response)) == (403, "claims_refused")
    assert Identity.objects.get().user.username != "boss"


@however_authenticated
def test_two_matching_users_are_refused(cognito, backend, authenticate):
    for name in ("ada1", "ada2"):
        get_user_model().objects.create_user(name, email="ada@example.com")
    backend(ByEmailAlone)
    response = authenticate(CognitoClient(), cognito, "ada")
    assert (response.status_code, code_of(response)) == (403, "claims_refused")


@however_authenticated
def test_matched_user_who_is_deactivated_gets_no_access(cognito, backend, authenticate):
    get_user_model().objects.create_user("ada", is_active=False)
    backend(ByUsername)
    response = authenticate(CognitoClient(), cognito, "ada")
    assert response.status_code == (401 if authenticate is use_access_token else 403)
    assert code_of(response) == "user_deactivated"


# --- get_username, create_user, update_user -------------------------------------------------------


class PoolUsername(CognitoBackend):
    def get_username(self, claims):
        return claims.verified.username


@however_authenticated
def test_username_comes_from_the_hook(cognito, backend, authenticate):
    backend(PoolUsername)
    assert authenticate(CognitoClient(), cognito, "ada").status_code < 400
    assert get_user_model().objects.get().username == "ada"


@however_authenticated
def test_username_that_is_taken_is_refused_and_never_merged(cognito, backend, authenticate):
    ada = get_user_model().objects.create_user("ada")
    backend(PoolUsername)
    response = authenticate(CognitoClient(), cognito, "ada")
    assert (response.status_code, code_of(response)) == (503, "user_not_created")
    assert not Identity.objects.filter(user=ada).exists()


class WithoutIdentity(CognitoBackend):
    def create_user(self, claims):
        return self.UserModel.objects.create_user(f"member-{claims['sub']}")


@however_authenticated
def test_user_created_by_a_hook_is_linked_to_the_identity(cognito, backend, authenticate):
    backend(WithoutIdentity)
    for _ in range(2):
        assert authenticate(CognitoClient(), cognito, "ada").status_code < 400
    identity = Identity.objects.get()
    assert identity.user.username == f"member-{subject_of('ada')}"
    assert identity.user.email == ("" if authenticate is use_access_token else "ada@example.com")


class WithNote(CognitoBackend):
    def update_user(self, user, claims):
        user = super().update_user(user, claims)
        user.last_name = f"{claims['token_use']} {claims.get('email')} {self.request.path}"
        user.save()
        return user


@pytest.mark.parametrize(
    ("authenticate", "note"),
    [
        (sign_in, "id ada@example.com /signin"),
        (exchange_code, "id ada@example.com /api/auth/get-tokens"),
        (use_access_token, "access None /api/user"),
    ],
)
def test_update_user_reads_claims_and_request(cognito, backend, authenticate, note):
    backend(WithNote)
    assert authenticate(CognitoClient(), cognito, "ada").status_code < 400
    assert get_user_model().objects.get().last_name == note


def test_update_user_reads_claims_and_request_at_renewal(client, cognito, backend):
    backend(WithNote)
    sign_in(client, cognito, "ada")
    renew(client)
    assert get_user_model().objects.get().last_name == "id ada@example.com /profile/"


class Stock(CognitoBackend):
    """A backend as the documentation of mozilla-django-oidc has it, with another base class."""

    def verify_claims(self, claims):
        return "editors" in claims.get("cognito:groups", [])

    def filter_users_by_claims(self, claims):
        return self.UserModel.objects.filter(username=claims["sub"])

    def get_username(self, claims):
        return claims["sub"]

    def create_user(self, claims):
        user = super().create_user(claims)
        user.first_name = claims.get("custom:department", "")
        user.save()
        return user

    def update_user(self, user, claims):
        user.first_name = claims.get("custom:department", "")
        user.save()
        return user


CUSTOM = {"custom:department": "mathematics"}


def test_backend_of_mozilla_django_oidc_works_with_our_base_class(cognito, backend):
    """Custom attributes reach the hooks, and groups apply although `update_user` omits them."""
    backend(Stock)
    user = FakeUser("ada", groups=("editors", "admins"), claims=CUSTOM)
    for _ in range(2):
        client = CognitoClient()
        client.sign_in(user, cognito)
        assert client.user.first_name == "mathematics"
        assert client.user.is_superuser
    user.groups, user.claims = ("editors",), {"custom:department": "physics"}
    assert renew_latest(client).status_code == 200
    assert client.user.first_name == "physics"
    assert not client.user.is_superuser
    token = mint_access_token("ada", groups=["editors"], claims=CUSTOM)
    bearer = {"Authorization": f"Bearer {token}"}
    assert CognitoClient().get("/api/user", headers=bearer).status_code == 200
    assert client.user.first_name == "mathematics"
    assert Identity.objects.count() == get_user_model().objects.count() == 1


class Broken(CognitoBackend):
    def update_user(self, user, claims):
        if "admins" not in claims.get("cognito:groups", []):
            raise RuntimeError("a fault of the host project")
        return super().update_user(user, claims)


def test_rights_are_revoked_although_update_user_fails(cognito, backend):
    backend(Broken)
    user, client = (
        FakeUser("boss", groups=("admins",)),
        CognitoClient(raise_request_exception=False),
    )
    client.sign_in(user, cognito)
    assert client.user.is_superuser
    user.groups = ()
    assert renew_latest(client).status_code == 500
    assert not client.user.is_superuser


# --- get_userinfo, describe_user_by_claims --------------------------------------------------------


class WithTokens(CognitoBackend):
    def get_userinfo(self, access_token, id_token, payload):
        assert provider().access_verifier.access_claims(access_token).subject == payload["sub"]
        claims = super().get_userinfo(access_token, id_token, payload)
        claims.update(tokens=f"{bool(access_token)} {bool(id_token)}")
        return claims

    def update_user(self, user, claims):
        user = super().update_user(user, claims)
        user.last_name = claims.get("tokens", "renewed")
        user.save()
        return user


@pytest.mark.parametrize(
    ("authenticate", "tokens"),
    [
        (sign_in, "True True"),
        (exchange_code, "True True"),
        (use_access_token, "True False"),
    ],
)
def test_get_userinfo_gets_the_tokens_and_adds_claims(cognito, backend, authenticate, tokens):
    backend(WithTokens)
    assert authenticate(CognitoClient(), cognito, "ada").status_code < 400
    assert get_user_model().objects.get().last_name == tokens


class PlainDict(CognitoBackend):
    def get_userinfo(self, access_token, id_token, payload):
        return {**payload, "department": "mathematics"}


@however_authenticated
def test_userinfo_without_the_verified_claims_raises_improperly_configured(
    cognito, backend, authenticate
):
    backend(PlainDict)
    with pytest.raises(ImproperlyConfigured, match=r"super\(\)\.get_userinfo\(\)"):
        authenticate(CognitoClient(), cognito, "ada")


class Described(CognitoBackend):
    def describe_user_by_claims(self, claims):
        return f"({super().describe_user_by_claims(claims)})"


@however_authenticated
def test_unknown_user_is_described_in_the_log_of_the_library(
    cognito, backend, settings, caplog, authenticate
):
    settings.COGNITO = {**settings.COGNITO, "CREATE_PEOPLE": False}
    backend(Described)
    caplog.set_level("DEBUG", "mozilla_django_oidc.auth")
    response = authenticate(CognitoClient(), cognito, "ada")
    assert (response.status_code, code_of(response)) == (403, "unknown_user")
    described = f"(pool {provider().config.pool_id} and subject {subject_of('ada')})"
    assert described in caplog.text


# --- Which backend --------------------------------------------------------------------------------


def test_session_has_the_path_of_the_listed_subclass(client, cognito, backend):
    backend(PoolUsername)
    sign_in(client, cognito, "ada")
    assert client.session["_auth_user_backend"] == f"{__name__}.PoolUsername"
    assert client.get(reverse("accounts:profile")).status_code == 200


@however_authenticated
def test_hooks_are_called_if_other_backends_are_listed_first(cognito, settings, authenticate):
    settings.AUTHENTICATION_BACKENDS = [
        "django.contrib.auth.backends.ModelBackend",
        break_glass.BACKEND,
        f"{__name__}.PoolUsername",
        "accounts.backends.CognitoBackend",  # for existing sessions
    ]
    assert authenticate(CognitoClient(), cognito, "ada").status_code < 400
    assert get_user_model().objects.get().username == "ada"


def test_access_token_is_503_if_no_backend_is_listed(cognito, settings):
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    response = use_access_token(CognitoClient(), cognito, "ada")
    assert (response.status_code, response.json()["code"]) == (503, "configuration")
    assert not get_user_model().objects.exists()


def test_settings_of_the_library_change_nothing(client, cognito, settings):
    settings.OIDC_USERNAME_ALGO = "tests.no_such_function"
    settings.OIDC_CREATE_USER = False
    settings.OIDC_AUTH_REQUEST_EXTRA_PARAMS = {"identity_provider": "Google"}
    start = client.get(reverse("accounts:login"))
    assert "identity_provider" not in query_of(start["Location"])
    assert sign_in(client, cognito, "ada").status_code == 302
    assert get_user_model().objects.get().username.startswith("user-")
