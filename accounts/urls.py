"""Addresses of the pages. `/signin` and `/signout` are registered at the app client."""

from django.urls import path

from . import profile_views, views

app_name = "accounts"

urlpatterns = [
    path("accounts/login/", views.SignInView.as_view(), name="login"),
    path("accounts/signup/", views.SignUpView.as_view(), name="signup"),
    path("signin", views.CallbackView.as_view(), name="callback"),
    path("accounts/logout/", views.SignOutView.as_view(), name="logout"),
    path("signout", views.SignedOutView.as_view(), name="signed_out"),
    path("profile/", profile_views.ProfileView.as_view(), name="profile"),
    path(
        "profile/sessions/<int:pk>/end/",
        profile_views.EndSessionView.as_view(),
        name="end_session",
    ),
    path(
        "profile/sign-out-everywhere/",
        profile_views.SignOutEverywhereView.as_view(),
        name="sign_out_everywhere",
    ),
]
