"""The OpenAPI document of a server without SPA_COMPAT, as docs/openapi.json holds it.

    python -m tests.openapi_document

writes the file. Review the difference: clients depend on it.
"""

import json
import os
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "docs/openapi.json"
DOMAIN = "https://ledger.auth.eu-west-1.amazoncognito.com"


def current():
    """Return the text of the document that the code describes now."""
    from django.conf import settings  # Django's applications are ready only now
    from django.test import override_settings
    from django.urls import include, path
    from drf_spectacular.generators import SchemaGenerator

    from sso_project.urls import api

    overrides = {
        "SPA_COMPAT": False,
        "SESSION_COOKIE_NAME": "__Host-sessionid",
        "COGNITO": {**settings.COGNITO, "CLIENT_DOMAIN": DOMAIN},
    }
    with override_settings(**overrides):
        generator = SchemaGenerator(patterns=[path("api/", include((api, "api")))])
        document = generator.get_schema(public=True)
    return json.dumps(document, indent=1, ensure_ascii=False, default=str) + "\n"


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    FILE.write_text(current(), encoding="utf-8")
