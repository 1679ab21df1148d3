"""The WSGI application of the site without the control that HOSTILE_WEAKNESS names."""

import os

from .weaknesses import WEAKNESSES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sso_project.settings")
_by_name = {weakness.name: weakness for weakness in WEAKNESSES}
_by_name[os.environ["HOSTILE_WEAKNESS"]].patch()

from sso_project.wsgi import application as application  # noqa: E402 (after the patch)
