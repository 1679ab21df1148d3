"""Addresses of the figures in the API; each with and without a slash at its end."""

from rest_framework.routers import SimpleRouter

from .views import StatViewSet

router = SimpleRouter()
router.trailing_slash = "/?"  # its constructor knows only "/" and nothing
router.register("stats", StatViewSet, basename="stat")

urlpatterns = router.urls
