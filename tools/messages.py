"""Update the message files from the source: `python -m tools.messages`.

It writes `locale/<language>/LC_MESSAGES/django.po` of each application, with an empty translation
for each new message, and the `.mo` next to it. Babel does the work of xgettext and msgfmt, so that
no system program is needed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("de",)  # those of settings.LANGUAGES without English
_LAZY = ("gettext", "ngettext", "pgettext", "npgettext")
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_noop": None,
    **{f"{name}_lazy": DEFAULT_KEYWORDS[name] for name in _LAZY},
}


@dataclass(frozen=True)
class Application:
    """An application with message files, and the templates whose messages they hold."""

    name: str
    templates: tuple[str, ...]

    def po_file(self, language: str) -> Path:
        return ROOT / self.name / "locale" / language / "LC_MESSAGES/django.po"

    def sources(self) -> Iterator[Path]:
        """Return the files that can have messages. Commands and migrations have none."""
        for path in sorted((ROOT / self.name).rglob("*.py")):
            if not {"management", "migrations"} & set(path.relative_to(ROOT).parts):
                yield path
        for pattern in self.templates:
            yield from sorted((ROOT / "templates").glob(pattern))


SITE = "sso_project"  # it has the templates that belong to no other application
APPLICATIONS = (
    *(
        Application(folder.name, (f"{folder.name}/**/*.html", f"admin/{folder.name}/*.html"))
        for folder in sorted(path.parent for path in ROOT.glob("*/apps.py"))
        if folder.name != SITE
    ),
    Application(SITE, ("*.html", "admin/*.html", "docs/*.html", "rest_framework/*.html")),
)


def extracted(application: Application) -> Catalog:
    """Return the messages of the application's source, without translations."""
    template = Catalog()
    for path in application.sources():
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text()
        if path.suffix == ".html":
            # Inside parentheses, Python accepts any indentation.
            text = f"({templatize(text, origin=name)})"
        found = extract("python", BytesIO(text.encode()), KEYWORDS, options={"encoding": "utf-8"})
        for _line, message, _comments, context in found:
            template.add(message, locations=[(name, 1)], context=context)
    return template


def stored(application: Application, language: str) -> Catalog:
    """Return the messages of the message file, or none if there is no such file."""
    path = application.po_file(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def updated(application: Application, language: str) -> Catalog:
    """Return the messages of the source, with the translations of the message file."""
    catalog, template = stored(application, language), extracted(application)
    template.creation_date = catalog.creation_date  # else the file would differ each time
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    return catalog


def po_bytes(catalog: Catalog) -> bytes:
    """Return the text of the message file. Messages are in the order of the source."""
    file = BytesIO()
    write_po(file, catalog, width=100, omit_header=False, include_lineno=False)
    return file.getvalue()


def mo_bytes(catalog: Catalog) -> bytes:
    """Return the compiled message file."""
    file = BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def main() -> None:
    for application in APPLICATIONS:
        for language in LANGUAGES:
            catalog, path = updated(application, language), application.po_file(language)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(po_bytes(catalog))
            path.with_suffix(".mo").write_bytes(mo_bytes(catalog))
            missing = sum(1 for message in catalog if message.id and not all_strings(message))
            sys.stdout.write(f"{path.relative_to(ROOT)}: {len(catalog)} messages, {missing} new\n")


def all_strings(message: object) -> bool:
    """Return True if each form of the message is translated."""
    string = getattr(message, "string", "")
    return all(string) if isinstance(string, tuple | list) else bool(string)


if __name__ == "__main__":
    main()
