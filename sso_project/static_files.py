"""Django's application for static files, without files that no page uses."""

from django.contrib.staticfiles.apps import StaticFilesConfig


class StaticFiles(StaticFilesConfig):
    """Leave out Redoc, a third of the collected bytes. The API document has Swagger UI only."""

    ignore_patterns = (*StaticFilesConfig.ignore_patterns, "drf_spectacular_sidecar/redoc/*")
