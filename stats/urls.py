from django.urls import path
from django.views.decorators.cache import never_cache

from .views import DashboardView

app_name = "stats"

urlpatterns = [
    # Not kept by the browser: "back" after signing out shows nothing.
    path("", never_cache(DashboardView.as_view()), name="dashboard"),
]
