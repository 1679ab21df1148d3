"""The site map: one line for each page of the project, one include for each face of an app."""

from django.contrib import admin
from django.urls import include, path

from . import views

urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("server/", views.ServerInfoView.as_view(), name="server"),
    path("", include("accounts.urls")),
    path("dashboard/", include("stats.urls")),
    path("admin/", admin.site.urls),
]
