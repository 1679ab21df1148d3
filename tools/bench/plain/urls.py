from django.urls import include, path

from . import admin, views

urlpatterns = [
    path("", include("sso_project.urls")),
    path("floor/<int:length>", views.constant),
    path("plain/dashboard/", views.PlainDashboard.as_view()),
    path("plain/admin/", admin.site.urls),
]
