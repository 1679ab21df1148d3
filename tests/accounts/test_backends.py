"""The hooks of a host project's backend take effect on every way in."""

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
    """List another backend, by its path in this module."""

    def use(cls):
        settings.AUTHENTICATION_BACKENDS = [f"{__name__}.{cls.__qualname__}"]

    return use


# --- The ways in ----------------------------------------------------------------------------------


def sign_in(client, cognito, username):
    person = FakeUser(username)
    query = query_of(client.get(reverse("accounts:login"))["Location"])
    person.nonce = query["nonce"]
    callback = {"code": cognito.authorize(person), "state": query["state"]}
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


every_way = pytest.mark.parametrize("come_in", [sign_in, exchange_code, use_access_token])


def code_of(response):
    """The stable code of a refusal, from the API's body or from the audit log."""
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


@every_way
def test_hooks_are_called_in_the_librarys_order(cognito, backend, monkeypatch, come_in):
    backend(Recording)
    for expected in (NEW_USER, EXISTING_USER):
        monkeypatch.setattr(Recording, "calls", [])
        assert come_in(CognitoClient(), cognito, "ada").status_code < 400
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


# --- verify_claims --------------------------------------------------------------------------------


class OnlyAda(CognitoBackend):
    def verify_claims(self, claims):
        return claims["sub"] == subject_of("ada")


@every_way
def test_false_from_verify_claims_refuses_with_a_code_of_its_own(client, cognito, backend, come_in):
    backend(OnlyAda)
    assert come_in(CognitoClient(), cognito, "ada").status_code < 400
    response = come_in(CognitoClient(), cognito, "mallory")
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


@every_way
@pytest.mark.parametrize("refusing", [Suspicious, Denied])
def test_hook_that_raises_refuses_as_well(cognito, backend, come_in, refusing):
    backend(refusing)
    response = come_in(CognitoClient(), cognito, "ada")
    assert (response.status_code, code_of(response)) == (403, "claims_refused")


# --- filter_users_by_claims -----------------------------------------------------------------------


class ByUsername(CognitoBackend):
    """Matches a user of this site by the name that the token has."""

    def filter_users_by_claims(self, claims):
        known = super().filter_users_by_claims(claims)
        name = claims.verified.username
        return known or list(self.UserModel.objects.filter(username=name))


@every_way
def test_user_that_a_hook_matched_gets_the_identity_and_keeps_it(cognito, backend, come_in):
    ada = get_user_model().objects.create_user("ada")
    backend(ByUsername)
    for _ in range(2):
        assert come_in(CognitoClient(), cognito, "ada").status_code < 400
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


class ByEmailAlone(CognitoBackend):
    def filter_users_by_claims(self, claims):
        email = claims.get("email", f"{claims.verified.username}@example.com")
        return self.UserModel.objects.filter(email=email)


@every_way
def test_identity_is_never_moved_to_another_user(cognito, backend, settings, come_in):
    """The email address is another user's now, but the identity is still this one's."""
    assert come_in(CognitoClient(), cognito, "ada").status_code < 400
    get_user_model().objects.update(email="")
    get_user_model().objects.create_user("boss", email="ada@example.com")
    backend(ByEmailAlone)
    response = come_in(CognitoClient(), cognito, "ada")
    assert (response.status_code, code_of(response)) == (403, "claims_refused")
    assert Identity.objects.get().user.username != "boss"


@every_way
def test_two_matching_users_are_refused(cognito, backend, come_in):
    for name in ("ada1", "ada2"):
        get_user_model().objects.create_user(name, email="ada@example.com")
    backend(ByEmailAlone)
    response = come_in(CognitoClient(), cognito, "ada")
    assert (response.status_code, code_of(response)) == (403, "claims_refused")


@every_way
def test_matched_user_who_is_deactivated_gets_no_access(cognito, backend, come_in):
    get_user_model().objects.create_user("ada", is_active=False)
    backend(ByUsername)
    response = come_in(CognitoClient(), cognito, "ada")
    assert response.status_code == (401 if come_in is use_access_token else 403)
    assert code_of(response) == "user_deactivated"


# --- get_username, create_user, update_user -------------------------------------------------------


class PoolUsername(CognitoBackend):
    def get_username(self, claims):
        return claims.verified.username


@every_way
def test_username_is_that_of_the_hook(cognito, backend, come_in):
    backend(PoolUsername)
    assert come_in(CognitoClient(), cognito, "ada").status_code < 400
    assert get_user_model().objects.get().username == "ada"


@every_way
def test_username_that_is_taken_is_refused_and_never_merged(cognito, backend, come_in):
    ada = get_user_model().objects.create_user("ada")
    backend(PoolUsername)
    response = come_in(CognitoClient(), cognito, "ada")
    assert (response.status_code, code_of(response)) == (403, "unknown_user")
    assert not Identity.objects.filter(user=ada).exists()


class WithoutIdentity(CognitoBackend):
    def create_user(self, claims):
        return self.UserModel.objects.create_user(f"member-{claims['sub']}")


@every_way
def test_user_of_a_create_user_hook_gets_the_identity(cognito, backend, come_in):
    backend(WithoutIdentity)
    for _ in range(2):
        assert come_in(CognitoClient(), cognito, "ada").status_code < 400
    identity = Identity.objects.get()
    assert identity.user.username == f"member-{subject_of('ada')}"
    assert identity.user.email == ("" if come_in is use_access_token else "ada@example.com")


class WithNote(CognitoBackend):
    def update_user(self, user, claims):
        user = super().update_user(user, claims)
        user.last_name = f"{claims['token_use']} {claims.get('email')} {self.request.path}"
        user.save()
        return user


@pytest.mark.parametrize(
    ("come_in", "note"),
    [
        (sign_in, "id ada@example.com /signin"),
        (exchange_code, "id ada@example.com /api/auth/get-tokens"),
        (use_access_token, "access None /api/user"),
    ],
)
def test_update_user_has_claims_and_request(cognito, backend, come_in, note):
    backend(WithNote)
    assert come_in(CognitoClient(), cognito, "ada").status_code < 400
    assert get_user_model().objects.get().last_name == note


def test_update_user_has_claims_and_request_at_renewal(client, cognito, backend):
    backend(WithNote)
    sign_in(client, cognito, "ada")
    renew(client)
    assert get_user_model().objects.get().last_name == "id ada@example.com /profile/"


# --- get_userinfo, describe_user_by_claims --------------------------------------------------------


class WithTokens(CognitoBackend):
    def get_userinfo(self, access_token, id_token, payload):
        assert provider().verifier.access_claims(access_token).subject == payload["sub"]
        claims = super().get_userinfo(access_token, id_token, payload)
        claims.update(tokens=f"{bool(access_token)} {bool(id_token)}")
        return claims

    def update_user(self, user, claims):
        user = super().update_user(user, claims)
        user.last_name = claims.get("tokens", "renewed")
        user.save()
        return user


@pytest.mark.parametrize(
    ("come_in", "tokens"),
    [
        (sign_in, "True True"),
        (exchange_code, "True True"),
        (use_access_token, "True False"),
    ],
)
def test_get_userinfo_gets_the_tokens_and_adds_claims(cognito, backend, come_in, tokens):
    backend(WithTokens)
    assert come_in(CognitoClient(), cognito, "ada").status_code < 400
    assert get_user_model().objects.get().last_name == tokens


class PlainDict(CognitoBackend):
    def get_userinfo(self, access_token, id_token, payload):
        return {**payload, "department": "mathematics"}


@every_way
def test_claims_that_lost_the_verified_ones_are_an_error_that_says_what_to_do(
    cognito, backend, come_in
):
    backend(PlainDict)
    with pytest.raises(ImproperlyConfigured, match=r"super\(\)\.get_userinfo\(\)"):
        come_in(CognitoClient(), cognito, "ada")


class Described(CognitoBackend):
    def describe_user_by_claims(self, claims):
        return f"({super().describe_user_by_claims(claims)})"


@every_way
def test_unknown_user_is_described_in_the_librarys_log(cognito, backend, settings, caplog, come_in):
    settings.COGNITO = {**settings.COGNITO, "CREATE_PEOPLE": False}
    backend(Described)
    caplog.set_level("DEBUG", "mozilla_django_oidc.auth")
    response = come_in(CognitoClient(), cognito, "ada")
    assert (response.status_code, code_of(response)) == (403, "unknown_user")
    described = f"(issuer {provider().config.issuer} and subject {subject_of('ada')})"
    assert described in caplog.text


# --- Which backend --------------------------------------------------------------------------------


def test_session_has_the_path_of_the_listed_subclass(client, cognito, backend):
    backend(PoolUsername)
    sign_in(client, cognito, "ada")
    assert client.session["_auth_user_backend"] == f"{__name__}.PoolUsername"
    assert client.get(reverse("accounts:profile")).status_code == 200


@every_way
def test_hooks_are_found_behind_other_backends(cognito, settings, come_in):
    settings.AUTHENTICATION_BACKENDS = [
        "django.contrib.auth.backends.ModelBackend",
        break_glass.BACKEND,
        f"{__name__}.PoolUsername",
        "accounts.backends.CognitoBackend",  # for sessions from before
    ]
    assert come_in(CognitoClient(), cognito, "ada").status_code < 400
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
    assert get_user_model().objects.get().username.startswith("person-")
