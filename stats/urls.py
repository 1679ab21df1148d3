from django.urls import path
from django.views.decorators.cache import never_cache

from . import views

app_name = "stats"

# Not cached by the browser, so that its "back" button shows nothing after signing out.
urlpatterns = [
    path("", never_cache(views.DashboardView.as_view()), name="dashboard"),
    path("figures/add/", never_cache(views.AddFigureView.as_view()), name="add"),
    path("figures/<int:pk>/edit/", never_cache(views.EditFigureView.as_view()), name="edit"),
    path("figures/<int:pk>/delete/", never_cache(views.DeleteFigureView.as_view()), name="delete"),
]
