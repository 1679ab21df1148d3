"""Addresses of the API, relative to /api/; each with and without a slash at its end."""

from django.urls import re_path

from ..core.db import without_transactions
from .views import AppSignOutView, CallerView, TokensView

urlpatterns = without_transactions(
    [
        re_path(r"^auth/get-tokens/?$", TokensView.as_view(), name="get-tokens"),
        re_path(r"^auth/sign-out/?$", AppSignOutView.as_view(), name="sign-out"),
        re_path(r"^user/?$", CallerView.as_view(), name="user"),
    ]
)
