"""The WSGI application. It refuses to load while a setting is missing or malformed."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sso_project.settings")
django_application = get_wsgi_application()

from .request_guard import RequestGuard  # noqa: E402 (these need the applications to be loaded)
from .startup import refuse_if_misconfigured  # noqa: E402

refuse_if_misconfigured()
application = RequestGuard(django_application)
