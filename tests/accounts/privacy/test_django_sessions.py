"""The sessions of one user are found and deleted in each session engine with a database."""

from importlib import import_module

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session

from accounts.models import User
from accounts.privacy.django_sessions import delete_sessions, sessions_of

pytestmark = pytest.mark.django_db
BACKENDS = "django.contrib.sessions.backends"


@pytest.fixture
def grace():
    return User.objects.create_user("grace")


def stored(engine, user):
    """Store a session of `user` with that engine, and return its key."""
    session = import_module(engine).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session.save()
    return session.session_key


@pytest.mark.parametrize("engine", [f"{BACKENDS}.db", f"{BACKENDS}.cached_db"])
def test_sessions_in_the_database_are_found_and_deleted(grace, settings, engine):
    settings.SESSION_ENGINE = engine
    key = stored(engine, grace)
    other = stored(engine, User.objects.create_user("linus"))
    [session] = sessions_of(grace)
    assert (session.key, session.sign_in) == (key, None)
    delete_sessions([session.key])
    assert [stored.pk for stored in Session.objects.all()] == [other]
    opened = import_module(engine).SessionStore(key)
    assert opened.load() == {}  # it is deleted from the cache too


@pytest.mark.parametrize("engine", [f"{BACKENDS}.cache", f"{BACKENDS}.signed_cookies"])
def test_sessions_outside_the_database_cannot_be_listed(grace, settings, engine):
    settings.SESSION_ENGINE = engine
    stored(engine, grace)
    assert list(sessions_of(grace)) == []
