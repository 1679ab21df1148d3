from sso_project.settings import *  # noqa: F403
from sso_project.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tools.bench.plain"]
ROOT_URLCONF = "tools.bench.plain.urls"
