"""The description of the site's API: what the request guard and the middleware add to each view."""

from __future__ import annotations

from typing import Any

from accounts.api.openapi import ApiSchema
from accounts.problems.catalog import INCOMPLETE_BODY


class SiteSchema(ApiSchema):
    """The description of a view on this site."""

    site_errors = {
        400: {
            "malformed_content_length",
            "malformed_content_type",
            "malformed_cookie",
            INCOMPLETE_BODY.code,
            "response_too_large",
        },
        408: {"timeout"},
        411: {"length_required"},
        413: {"too_large"},
        415: {"unsupported_charset", "unsupported_encoding"},
        431: {"header_too_large"},
        500: {"response_too_large"},
        501: {"unsupported_transfer_encoding"},
    }
    site_headers: dict[str, Any] = {
        "X-Request-ID": {
            "description": "The ID of the request in the log. Quote it when you report an error.",
            "schema": {"type": "string"},
        }
    }
