"""The WSGI application. Importing it fails if a setting is missing or invalid."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sso_project.settings")
django_application = get_wsgi_application()

from .request_guard import RequestGuard  # noqa: E402 (these need the applications to be loaded)
from .startup import require_valid_settings  # noqa: E402

require_valid_settings()
application = RequestGuard(django_application)
