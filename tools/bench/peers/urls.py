from django.urls import path
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from . import views

urlpatterns = [
    path("plain/stats", views.PlainStats.as_view({"get": "list"})),
    path("cognito-jwt/stats", views.CognitoJwtStats.as_view({"get": "list"})),
    path("mozilla/stats", views.MozillaStats.as_view({"get": "list"})),
    path("oidc/authenticate/", OIDCAuthenticationRequestView.as_view()),
    path("signin", OIDCAuthenticationCallbackView.as_view(), name="oidc_authentication_callback"),
]
