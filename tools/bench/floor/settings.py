from sso_project.settings import *  # noqa: F403

ROOT_URLCONF = "tools.bench.floor.urls"
