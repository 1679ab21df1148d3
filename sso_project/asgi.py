"""The ASGI application. Importing it fails if a setting is missing or invalid."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sso_project.settings")
django_application = get_asgi_application()

from .asgi_guard import AsgiRequestGuard  # noqa: E402 (these need the applications to be loaded)
from .startup import require_valid_settings  # noqa: E402

require_valid_settings()
application = AsgiRequestGuard(django_application)
