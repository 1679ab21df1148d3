import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from accounts.models import SignIn
from accounts.sessions import browser_session


@pytest.mark.django_db
def test_session_has_only_the_live_sign_in_of_its_own_user(rf):
    user = get_user_model().objects.create_user("user-1")
    now = timezone.now()
    sign_in = SignIn.objects.create(user=user, access_expires_at=now, renew_at=now)
    request = rf.get("/")
    request.session = {"sign_in": sign_in.key, "_auth_user_id": str(user.pk)}
    assert browser_session.current_sign_in(request) == sign_in
    request.session["_auth_user_id"] = str(user.pk + 1)
    assert browser_session.current_sign_in(request) is None
