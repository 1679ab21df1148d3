import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from accounts.models import SignIn, User
from accounts.problems.errors import SessionLost
from accounts.signin import attempts, lost_session

pytestmark = pytest.mark.django_db
STORE = "SESSION_ENGINE SESSION_CACHE_ALIAS CACHES"


@pytest.fixture
def request_after():
    """A function that returns a browser's request after this many sign-ins without a session."""

    def make(sign_ins, **cookies):
        request = RequestFactory().get("/signin")
        request.session = SessionStore()
        user = User.objects.create_user("linus")
        for _ in range(sign_ins):
            attempt = attempts.begin("/profile/").marked_used(signed_in=True)
            response = HttpResponse()
            attempts.save(attempt, request, response)
            request.COOKIES |= {name: item.value for name, item in response.cookies.items()}
            now = timezone.now()
            SignIn.objects.create(
                key=attempt.sign_in_key, user=user, access_expires_at=now, renew_at=now
            )
        request.COOKIES |= cookies
        return request

    return make


def setting_names(request):
    with pytest.raises(SessionLost) as caught:
        lost_session.require_session(request)
    return caught.value.setting_names


def test_three_sign_ins_without_a_session_are_refused(request_after):
    assert setting_names(request_after(3)) == ""


def test_two_sign_ins_without_a_session_are_not_refused(request_after):
    lost_session.require_session(request_after(2))


def test_sign_ins_that_have_ended_do_not_count(request_after):
    request = request_after(4)
    for sign_in in SignIn.objects.all()[:2]:
        SignIn.objects.filter(pk=sign_in.pk).update(ended_at=timezone.now())
    lost_session.require_session(request)


def test_cookie_without_a_session_is_a_fault_of_the_store(request_after):
    assert setting_names(request_after(3, sessionid="unknown")) == STORE


def test_store_of_one_process_is_named(request_after, settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    assert setting_names(request_after(3)) == STORE


def test_secure_cookie_without_https_is_named(request_after, settings):
    request = request_after(3)
    settings.SESSION_COOKIE_SECURE = True
    request.COOKIES = {f"__Host-{name}": value for name, value in request.COOKIES.items()}
    assert setting_names(request) == "SESSION_COOKIE_SECURE"
