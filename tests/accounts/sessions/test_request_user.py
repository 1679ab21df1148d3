"""A renewal closes no page that needs no user, whatever Cognito does."""

from contextlib import contextmanager
from copy import deepcopy
from datetime import timedelta
from itertools import product

import pytest
from django.contrib.auth.decorators import login_not_required, login_required, permission_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db.models.signals import post_save
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import URLResolver, get_resolver, include, path
from django.utils import timezone
from django.views import View

from accounts.cognito.errors import CognitoUnavailable
from accounts.cognito.transport import Response
from accounts.core.request_context import acting_user, current_request
from accounts.models import Identity, RefreshResult, SignIn
from accounts.provider import factory
from accounts.testing.tokens import key_set, mint_access_token
from accounts.tokens import revocation_feed
from accounts.users.groups import pool_groups
from tests.rollback import rolled_back

pytestmark = pytest.mark.django_db

BANNER = "We can't tell right now who you are"
PUBLIC = [  # paths that need no user, with and without a sign-in
    "/",
    "/server/",
    "/language/",  # 405 for a GET
    "/docs",
    "/docs/oauth2-redirect",
    "/openapi.json",
    "/.well-known/oauth-protected-resource",
    "/api/info/server",
    "/accounts/login/",
    "/accounts/login/?another=1",
    "/accounts/signup/",
    "/accounts/logout/",  # 405 for a GET
    "/signin",
    "/signout",
    "/admin/login/",
    "/admin/break-glass/",
    "/static/js/missing.js",
    "/no-such-page/",
    "/api/no-such-page",
    "/healthz",
    "/readyz",
    "/metrics",
]
PRIVATE = [  # paths that need a user
    "/profile/",
    "/dashboard/",
    "/dashboard/figures/add/",
    "/admin/",
    "/admin/password_change/",
    "/api/user",
    "/api/stats",
]
WORKS_ALWAYS = ["/profile/sign-out-everywhere/"]  # for a signed-in user


def down(cognito, monkeypatch):
    cognito.down = True


def slow(cognito, monkeypatch):
    fail(cognito, CognitoUnavailable("Cognito did not respond in time"))


def error_500(cognito, monkeypatch):
    fail(cognito, CognitoUnavailable("Cognito responded with 500", retry_after=3))


def waf(cognito, monkeypatch):
    respond(cognito, 403, b"<html>Request blocked</html>")


def malformed(cognito, monkeypatch):
    respond(cognito, 200, b"{")


def wrong_client(cognito, monkeypatch):
    respond(cognito, 400, b'{"error": "invalid_client"}')


def wrong_claims(cognito, monkeypatch):
    for user in cognito._refresh_tokens.values():
        user.sign_in_claims["auth_time"] += 5


def keys_rotated_away(cognito, monkeypatch):
    factory.provider.cache_clear()
    monkeypatch.setattr(cognito, "get", lambda url, **options: key_set("https://rotated.example"))


def refused(cognito, monkeypatch):
    cognito._refresh_tokens.clear()


def fail(cognito, error):
    def raise_error(*args, **options):
        raise error

    cognito.post_form = raise_error


def respond(cognito, status, body):
    cognito.post_form = lambda *args, **options: Response(status, body)


RETRY, OPERATORS, SIGN_IN = "retry", "operators", "sign in"
FAILURES = {  # and what helps
    down: RETRY,
    slow: RETRY,
    error_500: RETRY,
    waf: RETRY,
    malformed: RETRY,
    wrong_client: OPERATORS,
    wrong_claims: SIGN_IN,
    keys_rotated_away: SIGN_IN,
    refused: SIGN_IN,
}
AGES = {"valid": -30, "in the grace period": 60, "over": 2 * 3600}  # seconds after the expiry


def age(seconds):
    at = timezone.now() - timedelta(seconds=seconds)
    SignIn.objects.live().update(access_expires_at=at, renew_at=at - timedelta(minutes=1))


def grace(settings, seconds):
    limits = {**(settings.COGNITO["LIMITS"] or {}), "renewal_grace": seconds}
    settings.COGNITO = {**settings.COGNITO, "LIMITS": limits}


@pytest.fixture
def ada(cognito_client):
    client = cognito_client("ada", groups=["admins"], bearer=False)
    client.user.__class__.objects.update(is_staff=True, is_superuser=True)
    return client


@pytest.fixture
def outage(ada, cognito):
    """Cognito is down, and the sign-in cannot continue without it."""
    age(AGES["over"])
    cognito.down = True
    return ada


def routes(resolver, prefix="/"):
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, route)
        else:
            yield route


def test_table_has_every_page_without_arguments():
    skipped = ("/admin/", "/api/auth/", "/profile/sign-out-everywhere/")
    plain = {route for route in routes(get_resolver()) if not set("<^(?$") & set(route)}
    known = {entry.partition("?")[0] for entry in (*PUBLIC, *PRIVATE, *WORKS_ALWAYS)}
    assert {route for route in plain if not route.startswith(skipped)} <= known


@contextmanager
def same_sign_in(client):
    """Undo what the block changes in the database, the cache and the browser."""
    cookies = deepcopy(client.cookies)
    with rolled_back():
        yield
    client.cookies = cookies
    revocation_feed.reset()
    cache.clear()


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.__name__)
def test_page_that_needs_no_user_is_never_closed(
    ada, cognito_client, cognito, monkeypatch, settings, failure
):
    settings.BREAK_GLASS_LOGIN = True
    strangers = {page: cognito_client.anonymous().get(page).status_code for page in PUBLIC}
    failure(cognito, monkeypatch)
    # A failure is first noticed when the tokens are over; two failures stand for the others before.
    for token in AGES if failure in (down, refused) else ("over",):
        age(AGES[token])
        for page, status in strangers.items():
            with same_sign_in(ada):
                assert (token, page, ada.get(page).status_code) == (token, page, status)


@pytest.mark.parametrize(("failure", "what_helps"), FAILURES.items())
def test_page_that_needs_a_user(ada, cognito, cognito_client, monkeypatch, failure, what_helps):
    works = {page: ada.get(page).status_code for page in PRIVATE}
    strangers = {page: cognito_client.anonymous().get(page) for page in PRIVATE}
    failure(cognito, monkeypatch)
    for (token, seconds), page in product(AGES.items(), PRIVATE):
        is_over = failure is refused or seconds > 3600
        age(seconds)
        with same_sign_in(ada):
            response, stranger, case = ada.get(page), strangers[page], (token, page)
            text = response.content.decode()
            if not is_over:
                assert response.status_code == works[page], case
                assert SignIn.objects.live().exists(), case
            elif what_helps == SIGN_IN:
                assert response.status_code == stranger.status_code, case
                assert not SignIn.objects.live().exists(), case
                assert response.headers.get("Location") == stranger.headers.get("Location"), case
                if page.startswith("/api/"):
                    assert response.json()["code"] == "session_ended", case
            else:
                assert response.status_code == 503, case
                assert SignIn.objects.live().exists(), case
                says_try_again = "try again" in text.lower()
                can_try_again = what_helps == RETRY
                assert says_try_again == can_try_again == ("Retry-After" in response.headers), case
                assert ("operators must correct" in text) != says_try_again, case


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.__name__)
def test_sign_out_works_whatever_cognito_does(ada, cognito, monkeypatch, failure):
    age(AGES["over"])
    failure(cognito, monkeypatch)
    for page in WORKS_ALWAYS:
        assert ada.get(page).status_code == 200
    assert ada.post("/accounts/logout/").status_code == 302
    assert SignIn.objects.get().end_reason == "signed_out"
    assert ada.get("/profile/").status_code == 302


def test_sign_out_everywhere_and_of_the_admin_work_in_an_outage(outage, cognito_client, cognito):
    assert outage.post("/admin/logout/").status_code == 302
    cognito.down = False
    grace_hopper = cognito_client("grace", bearer=False)
    age(AGES["over"])
    cognito.down = True
    assert grace_hopper.post("/profile/sign-out-everywhere/").status_code == 302
    assert {sign_in.end_reason for sign_in in SignIn.objects.all()} == {"signed_out", "everywhere"}


@pytest.mark.parametrize("page", ["/", "/server/", "/no-such-page/"])
def test_public_page_says_that_the_user_is_unknown_and_can_sign_out(outage, page):
    text = outage.get(page).content.decode()
    assert BANNER in text
    assert "Sign out" in text
    assert 'data-user=""' in text
    assert "ada" not in text


def test_page_works_again_after_the_outage(outage, cognito):
    assert outage.get("/profile/").status_code == 503
    cognito.down = False
    RefreshResult.objects.all().delete()
    cache.clear()
    assert outage.get("/profile/").status_code == 200
    assert BANNER not in outage.get("/").content.decode()


def test_new_sign_in_replaces_one_that_cannot_be_renewed(ada, cognito, cognito_client, monkeypatch):
    age(AGES["over"])
    wrong_client(cognito, monkeypatch)
    assert ada.get("/profile/").status_code == 503
    del cognito.post_form
    [user] = cognito._refresh_tokens.values()
    ada.sign_in(user, cognito)
    assert ada.get("/profile/").status_code == 200
    assert SignIn.objects.exclude(ended_at=None).get().end_reason == "replaced"


def test_user_returns_to_the_page_after_an_unmendable_renewal(ada, cognito, monkeypatch):
    age(AGES["over"])
    wrong_claims(cognito, monkeypatch)
    response = ada.get("/profile/?tab=2")
    assert response.headers["Location"] == "/accounts/login/?next=/profile/%3Ftab%3D2"
    assert SignIn.objects.get().end_reason == "unverified"


@pytest.mark.parametrize("page", ["/api/info/server", "/openapi.json", "/healthz"])
def test_page_that_does_not_read_the_user_makes_no_call(ada, cognito, page):
    age(AGES["over"])
    assert ada.get(page).status_code == 200
    assert "refresh_token" not in cognito.calls


def test_access_token_of_an_api_call_needs_no_renewal_of_the_session(outage):
    outage.bear(mint_access_token("ada"))
    assert outage.get("/api/user").status_code == 200
    outage.bear("junk")
    response = outage.get("/api/user")
    assert (response.status_code, response.json()["code"]) == (401, "malformed_token")


@pytest.mark.parametrize("is_script", [False, True])
def test_form_sent_in_an_outage_is_a_503_and_changes_nothing(outage, is_script):
    headers = {"Sec-Fetch-Mode": "cors"} if is_script else {}
    headers["Referer"] = "http://testserver/dashboard/figures/add/"
    response = outage.post("/dashboard/figures/add/", {"kpi": "draft"}, headers=headers)
    assert response.status_code == 503
    assert "it was not saved" in response.content.decode()
    if not is_script:
        assert 'href="/dashboard/figures/add/" data-try-again' in response.content.decode()


def test_failed_csrf_check_is_explained_as_such_in_an_outage(cognito_client, cognito):
    client = cognito_client("ada", bearer=False, enforce_csrf_checks=True)
    age(AGES["over"])
    cognito.down = True
    for page in ("/accounts/logout/", "/dashboard/figures/add/"):
        assert client.post(page).status_code == 403


@pytest.mark.parametrize("kind", ["down", "wrong_claims"])
def test_failed_tries_do_not_count_as_use(ada, cognito, monkeypatch, kind):
    long_ago = timezone.now() - timedelta(hours=1)
    SignIn.objects.update(last_seen_at=long_ago)
    age(AGES["over"])
    {"down": down, "wrong_claims": wrong_claims}[kind](cognito, monkeypatch)
    for page in ("/profile/", "/", "/api/info/server"):
        ada.get(page)
    assert SignIn.objects.get().last_seen_at == long_ago


def test_page_in_the_grace_period_counts_as_use(ada, cognito):
    long_ago = timezone.now() - timedelta(hours=1)
    SignIn.objects.update(last_seen_at=long_ago)
    age(AGES["in the grace period"])
    cognito.down = True
    assert ada.get("/profile/").status_code == 200
    assert SignIn.objects.get().last_seen_at > long_ago


@pytest.mark.parametrize("failure", [down, wrong_claims])
def test_grace_of_zero(ada, cognito, settings, monkeypatch, failure):
    grace(settings, 0)
    failure(cognito, monkeypatch)
    age(-30)
    assert ada.get("/profile/").status_code == 200
    age(1)
    assert ada.get("/profile/").status_code == (503 if failure is down else 302)
    assert ada.get("/").status_code == 200
    assert ada.get("/accounts/login/?another=1").status_code == 302


@pytest.mark.parametrize("failure", [down, wrong_claims, wrong_client])
def test_grace_of_a_day(ada, cognito, settings, monkeypatch, failure):
    grace(settings, 24 * 3600)
    failure(cognito, monkeypatch)
    age(AGES["over"])
    assert ada.get("/profile/").status_code == 200
    assert SignIn.objects.live().exists()
    age(25 * 3600)
    RefreshResult.objects.all().delete()
    cache.clear()
    assert ada.get("/profile/").status_code == (302 if failure is wrong_claims else 503)


# Views of a host project


def optional(request):
    return HttpResponse(f"user: {request.user.is_authenticated} {request.renewal_error is None}")


async def asynchronous(request):
    user = await request.auser()
    return HttpResponse(f"user: {user.is_authenticated} {await request.auser() is user}")


def streaming(request):
    return StreamingHttpResponse(f"user: {request.user.is_authenticated}" for _ in range(1))


def forbidden(request):
    raise PermissionDenied


def own_sign_in_page(request):
    return HttpResponse("own")


def groups(request):
    return HttpResponse(f"groups: {pool_groups(request)} {request.sign_in is None}")


class Private(LoginRequiredMixin, View):
    def get(self, request):
        return HttpResponse(f"user: {request.user.is_authenticated}")

    post = get


def redirecting(request):
    """Choose a language, and return to another page."""
    return HttpResponse(status=302, headers={"Location": f"/language/?next=/{request.user}"})


urlpatterns = [
    path("optional/", optional),
    path("async/", asynchronous),
    path("streaming/", streaming),
    path("forbidden/", forbidden),
    path("private/", Private.as_view()),
    path("permission/", permission_required("stats.add_stat", raise_exception=True)(optional)),
    path("own/", login_required(login_url="/own-sign-in/")(optional)),
    path("own-sign-in/", login_not_required(own_sign_in_page)),
    path("groups/", groups),
    path("redirecting/", redirecting),
    path("", include("sso_project.urls")),
]


@pytest.fixture
def host(settings):
    settings.ROOT_URLCONF = __name__


@pytest.mark.usefixtures("host")
class TestHost:
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_optional_user_is_anonymous_in_an_outage(self, outage, method):
        assert getattr(outage, method)("/optional/").content == b"user: False False"
        assert SignIn.objects.live().exists()

    @pytest.mark.parametrize("page", ["/async/", "/streaming/"])
    def test_user_of_async_and_streaming_views_is_renewed(self, ada, cognito, page):
        age(AGES["over"])
        assert ada.get(page).getvalue().startswith(b"user: True")
        assert cognito.calls.count("refresh_token") == 1

    @pytest.mark.parametrize("page", ["/async/", "/streaming/"])
    def test_user_of_async_and_streaming_views_is_anonymous_in_an_outage(self, outage, page):
        assert outage.get(page).getvalue().startswith(b"user: False")

    @pytest.mark.parametrize("page", ["/async/", "/streaming/"])
    def test_ended_sign_in_in_async_and_streaming_views(self, ada, cognito, page):
        age(AGES["over"])
        cognito._refresh_tokens.clear()
        assert ada.get(page).getvalue().startswith(b"user: False")
        assert ada.get("/private/").status_code == 302

    @pytest.mark.parametrize("page", ["/private/", "/permission/", "/own/"])
    def test_view_that_requires_a_user_is_a_503(self, outage, page):
        assert outage.get(page).status_code == 503
        assert outage.get("/own-sign-in/").status_code == 200

    def test_other_redirects_stay(self, outage):
        assert outage.get("/redirecting/").status_code == 302

    def test_groups_are_those_of_a_confirmed_user(self, ada, cognito):
        assert ada.get("/groups/").content == b"groups: ('admins',) False"
        age(AGES["over"])
        cognito.down = True
        assert ada.get("/groups/").content == b"groups: () True"

    def test_login_required_middleware_closes_no_public_page(self, outage, settings):
        middleware = "django.contrib.auth.middleware.LoginRequiredMiddleware"
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, middleware]
        outage.handler.load_middleware()
        assert outage.get("/optional/").status_code == 503
        assert outage.get("/").status_code == 200
        assert outage.get("/accounts/login/?another=1").status_code == 302
        assert outage.get("/profile/sign-out-everywhere/").status_code == 200
        assert outage.post("/accounts/logout/").status_code == 302

    @pytest.mark.parametrize("position", [0, 1])
    def test_middleware_that_reads_the_user_early(self, outage, settings, position):
        """Before or after SignInMiddleware: signing out and its pages work."""
        index = settings.MIDDLEWARE.index("accounts.middleware.SignInMiddleware") + position
        settings.MIDDLEWARE = list(settings.MIDDLEWARE)
        settings.MIDDLEWARE.insert(index, f"{__name__}.read_user_early")
        outage.handler.load_middleware()
        assert outage.get("/profile/sign-out-everywhere/").status_code == 200
        assert outage.get("/private/").status_code == 503
        assert outage.post("/accounts/logout/").status_code == 302

    def test_handler_that_reads_the_user_during_the_renewal(self, ada, cognito):
        """It gets the user of the session, and the renewal does not begin again."""
        read = []

        def handler(sender, **kwargs):
            if current_request() is not None:
                read.append(acting_user())

        post_save.connect(handler, sender=Identity, weak=False, dispatch_uid="test")
        try:
            for user in cognito._refresh_tokens.values():
                user.email = "new@example.com"
            age(AGES["over"])
            assert ada.get("/private/").status_code == 200
        finally:
            post_save.disconnect(sender=Identity, dispatch_uid="test")
        assert cognito.calls.count("refresh_token") == 1
        assert all(user == ada.user for user in read)

    def test_user_has_the_rights_of_the_renewed_token(self, ada, cognito):
        for user in cognito._refresh_tokens.values():
            user.groups = ()
        age(AGES["over"])
        assert ada.get("/groups/").content == b"groups: () False"


def read_user_early(get_response):
    def middleware(request):
        bool(request.user.is_authenticated)
        return get_response(request)

    return middleware
