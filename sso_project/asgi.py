"""The ASGI application. Importing it fails if a setting is missing or invalid."""

import os

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sso_project.settings")
django.setup(set_prefix=False)

from accounts.async_middleware import without_threads  # noqa: E402 (needs loaded applications)

from .asgi_guard import AsgiRequestGuard  # noqa: E402
from .asgi_handler import EventLoopHandler  # noqa: E402
from .startup import require_valid_settings  # noqa: E402

require_valid_settings()
settings.MIDDLEWARE = without_threads(settings.MIDDLEWARE)
application = AsgiRequestGuard(EventLoopHandler())
