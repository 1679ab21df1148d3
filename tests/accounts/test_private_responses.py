"""No cache stores a response with a user's data, and other responses stay cacheable."""

import pytest
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import URLPattern, get_resolver, include, path
from django.utils.cache import patch_cache_control

from tests.stats.scale import fill

pytestmark = pytest.mark.django_db


def plain(request):
    return HttpResponse("the same for all users")


def cacheable(request):
    response = HttpResponse(f"Hello {request.user}")
    patch_cache_control(response, public=True, max_age=300, s_maxage=600)
    return response


def by_session(request):
    return HttpResponse(f"Hello {request.session.get('_auth_user_id')}")


def streamed(request):
    return StreamingHttpResponse(iter([f"Hello {request.user}".encode()]))


def form(request):
    return HttpResponse(get_token(request))


def cookie(request):
    response = HttpResponse("x")
    response.set_cookie("choice", "1")
    patch_cache_control(response, private=True, no_cache=True)
    return response


def message(request):
    messages.success(request, "Saved, Linus.")
    return redirect("/plain")


def revalidated(request):
    response = HttpResponse("x")
    patch_cache_control(response, private=True, no_cache=True)
    return response


def private_field(request):
    return HttpResponse("x", headers={"Cache-Control": 'private="X-Name", no-cache'})


def missing(request):
    raise Http404


def forbidden(request):
    raise PermissionDenied


def broken(request):
    raise RuntimeError(str(request.user))


VIEWS = [plain, cacheable, by_session, streamed, form, cookie, message, revalidated, private_field,
         missing, forbidden, broken]  # fmt: skip
urlpatterns = [path("", include("sso_project.urls"))]
urlpatterns += [path(view.__name__, view) for view in VIEWS]
handler500 = "sso_project.error_views.server_error"


def directives(response):
    declared = response.headers.get("Cache-Control", "").split(",")
    return {directive.strip() for directive in declared}


def is_private(response):
    return "no-store" in directives(response)


@pytest.fixture
def host(settings):
    """A host project with its own pages."""
    settings.ROOT_URLCONF = __name__


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_every_response_in_a_session_is_private(cognito_client, view):
    linus = cognito_client("linus", bearer=False)
    linus.raise_request_exception = False
    response = linus.get(f"/{view.__name__}")
    assert is_private(response) == (view is not revalidated)
    if view is not revalidated:
        assert response.headers["Cache-Control"] == "no-store, private"


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_anonymous_response_is_private_if_it_has_a_token_or_a_cookie(client, view):
    client.raise_request_exception = False
    response = client.get(f"/{view.__name__}")
    assert is_private(response) == (view in (form, cookie, message))
    if view is cacheable:
        assert directives(response) == {"public", "max-age=300", "s-maxage=600"}


@pytest.mark.usefixtures("host")
def test_csrf_token_of_a_session_makes_a_response_private(client, settings):
    settings.CSRF_USE_SESSIONS = True
    assert is_private(client.get("/form"))


@pytest.mark.usefixtures("host")
def test_private_page_without_user_data_makes_no_further_query(
    cognito_client, django_assert_num_queries
):
    linus = cognito_client("linus", bearer=False)
    linus.get("/plain")
    with django_assert_num_queries(2):  # the session and its sign-in
        assert is_private(linus.get("/plain"))


def test_authenticated_api_call_is_private(cognito_client):
    linus = cognito_client("linus", session=False)
    assert is_private(linus.get("/api/user"))
    # This view allows the caller's own cache to store the response and to revalidate it.
    assert directives(linus.get("/api/stats")) == {"private", "no-cache"}


def url_patterns(patterns=None, prefix=""):
    """Yield the path of every URL pattern, with 1 for each of its parameters."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield pattern
        else:
            yield from url_patterns(entry.url_patterns, pattern)


def as_path(pattern):
    """Return a path that matches the pattern, or None if the pattern needs a specific text."""
    text = pattern.replace("^", "").replace("$", "").replace("\\Z", "").replace("/?", "")
    for converter in ("int", "str", "path", "uuid", "slug"):
        while f"<{converter}:" in text:
            start = text.index(f"<{converter}:")
            text = f"{text[:start]}1{text[text.index('>', start) + 1 :]}"
    return None if set(text) & set("()[]<>|\\?") else f"/{text}"


GROUPS = {"no-user": None, "linus": (), "ada": ("admins",)}


@pytest.mark.parametrize("username", GROUPS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_no_cacheable_response_names_a_user(client, cognito_client, username, method):
    visitor = client
    if username != "no-user":
        visitor = cognito_client(
            username, groups=GROUPS[username], email=f"{username}@example.com", bearer=False
        )
    fill(3)
    visitor.raise_request_exception = False
    paths = {as_path(pattern) for pattern in url_patterns()} - {None}
    assert len(paths) > 60
    private_pages = 0
    for path_ in sorted({*paths, "/nosuch", "/api/nosuch", "/admin/nosuch/"}):
        if "logout" in path_ or "sign-out" in path_:
            continue  # would end the session that the other requests need
        response = getattr(visitor, method)(path_)
        body = b"".join(response) if response.streaming else response.content
        words = (username.encode(), b"csrfmiddlewaretoken", b"csrftoken")
        has_user_data = any(word in body.lower() for word in words)
        private_pages += has_user_data
        if has_user_data or response.cookies:
            assert is_private(response), (path_, response.status_code)
    assert private_pages or username == "no-user"


def test_public_responses_and_static_files_stay_cacheable(client):
    for path_ in ("/openapi.json", "/api/info/server", "/static/css/base.css", "/nosuch"):
        response = client.get(path_)
        assert not {"no-store", "private"} & directives(response), path_
        response.close()
