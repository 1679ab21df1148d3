"""The URLs of the pages. `/signin` and `/signout` are registered at the app client.

Signing in and out does not require a login under Django's LoginRequiredMiddleware.
"""

from django.contrib.auth.decorators import login_not_required
from django.urls import path, re_path

from .api.protected_resource import ProtectedResourceView
from .core.app_label import LABEL
from .core.db import without_transactions
from .sessions import views as sessions_views
from .signin import views

app_name = LABEL

urlpatterns = without_transactions(
    [
        path("accounts/login/", login_not_required(views.SignInView.as_view()), name="login"),
        path("accounts/signup/", login_not_required(views.SignUpView.as_view()), name="signup"),
        path("signin", login_not_required(views.CallbackView.as_view()), name="callback"),
        path(
            "accounts/logout/",
            login_not_required(sessions_views.SignOutView.as_view()),
            name="logout",
        ),
        path(
            "signout", login_not_required(sessions_views.SignedOutView.as_view()), name="signed_out"
        ),
        path("profile/", sessions_views.ProfileView.as_view(), name="profile"),
        path(
            "profile/sessions/<int:pk>/end/",
            sessions_views.EndSessionView.as_view(),
            name="end_session",
        ),
        path(
            "profile/sign-out-everywhere/",
            sessions_views.SignOutEverywhereView.as_view(),
            name="sign_out_everywhere",
        ),
        re_path(
            r"^\.well-known/oauth-protected-resource(?P<suffix>/.*)?$",
            login_not_required(ProtectedResourceView.as_view()),
            name="protected_resource",
        ),
    ]
)
