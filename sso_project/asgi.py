"""What an ASGI server loads. It refuses to load while a setting is missing or malformed."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sso_project.settings")
application = get_asgi_application()

from .startup import refuse_if_misconfigured  # noqa: E402 (needs the applications to be loaded)

refuse_if_misconfigured()
