from allauth.socialaccount.providers.openid_connect import views
from django.urls import include, path

urlpatterns = [
    path("login/", views.login, {"provider_id": "pool"}),
    path("signin", views.callback, {"provider_id": "pool"}, name="openid_connect_callback"),
    path("accounts/", include("allauth.urls")),
]
