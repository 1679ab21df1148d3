"""The URLs of figures in the API, each with and without a trailing slash."""

from rest_framework.routers import SimpleRouter

from .views import StatViewSet

router = SimpleRouter()
router.trailing_slash = "/?"  # the constructor accepts only True or False
router.register("stats", StatViewSet, basename="stat")

urlpatterns = router.urls
