"""What a WSGI server loads. It refuses to load while a setting is missing or malformed."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sso_project.settings")
application = get_wsgi_application()

from .startup import refuse_if_misconfigured  # noqa: E402 (needs the applications to be loaded)

refuse_if_misconfigured()
