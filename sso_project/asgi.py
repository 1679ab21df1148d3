"""The ASGI application. It refuses to load while a setting is missing or malformed."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sso_project.settings")
django_application = get_asgi_application()

from .asgi_guard import AsgiRequestGuard  # noqa: E402 (these need the applications to be loaded)
from .startup import refuse_if_misconfigured  # noqa: E402

refuse_if_misconfigured()
application = AsgiRequestGuard(django_application)
