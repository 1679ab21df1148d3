from django.urls import path

from . import views

urlpatterns = [
    path("plain/stats", views.PlainStats.as_view({"get": "list"})),
    path("cognito-jwt/stats", views.CognitoJwtStats.as_view({"get": "list"})),
    path("mozilla/stats", views.MozillaStats.as_view({"get": "list"})),
]
