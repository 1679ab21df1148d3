"""The documentation site: `make docs` builds it from docs/, with pages generated from the code."""

from . import errors_page, settings_page

PAGES = {"settings.md": settings_page.page, "errors.md": errors_page.page}
