"""A session stored by an earlier release, with its paths and keys, stays valid."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone

from accounts.models import SignIn
from accounts.provider import provider

pytestmark = pytest.mark.django_db


def test_session_of_release_0_1_stays_signed_in(client):
    user = get_user_model().objects.create_user("u-1", email="ada@example.com")
    later = timezone.now() + timedelta(hours=1)
    sign_in = SignIn.objects.create(
        user=user,
        issuer=provider().pool.issuer,
        subject="aaaaaaaa-0000-4000-8000-000000000001",
        access_expires_at=later,
        renew_at=later,
    )
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    # Literals, not imports: the databases of running sites contain these values.
    session.update(
        {
            "_auth_user_id": str(user.pk),
            "_auth_user_backend": "accounts.backends.CognitoBackend",
            "_auth_user_hash": user.get_session_auth_hash(),
            "sign_in": sign_in.key,
        }
    )
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    page = client.get("/profile/")
    assert page.status_code == 200
    assert "ada@example.com" in page.content.decode()
