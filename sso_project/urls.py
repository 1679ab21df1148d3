"""The URLs of the site: the project's own pages, and the pages and API of each app."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, include, path, re_path

from accounts.api import spa_urls
from accounts.api.views import NotFoundView
from sso_project.api.caller import CallerView  # example

from . import views
from .api import docs
from .observability import health
from .observability.metrics_view import metrics_view

api: list[URLPattern | URLResolver] = [
    path("", include("stats.api.urls")),  # example
    re_path(r"^user/?$", CallerView.as_view(), name="user"),  # example
    path("", include("accounts.api.urls")),
    re_path(r"^info/server/?$", views.ServerInfoApiView.as_view(), name="server-info"),
]

urlpatterns = [
    path("api/", include((api, "api"))),  # first, because it gets the most requests
    path("", login_not_required(views.HomeView.as_view()), name="home"),
    path("server/", login_not_required(views.ServerInfoView.as_view()), name="server"),
    path("language/", login_not_required(views.choose_language), name="language"),
    path("", include("accounts.urls")),
    path("dashboard/", include("stats.urls")),  # example
    path("admin/", admin.site.urls),
    path("openapi.json", docs.SchemaView.as_view(), name="openapi"),
    path("docs", login_not_required(docs.DocsView.as_view()), name="docs"),
    path(
        "docs/oauth2-redirect",
        login_not_required(docs.OAuthRedirectView.as_view()),
        name="docs-redirect",
    ),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics_view, name="metrics"),
]
handler400 = "sso_project.error_views.bad_request"
handler500 = "sso_project.error_views.server_error"
if settings.SPA_COMPAT:
    urlpatterns = [*spa_urls.root_urlpatterns(api), *urlpatterns]
urlpatterns.append(re_path(r"^api(/|$)", NotFoundView.as_view()))
