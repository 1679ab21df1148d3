"""docs/settings.md, generated from .env.example."""

from __future__ import annotations

import re
from typing import NamedTuple

from .files import ROOT, table

SOURCE = ROOT / ".env.example"
_INTRO = """# Settings

This page lists every environment variable of the project. Set them in the environment, or in
`.env`, which is a copy of `.env.example`. With `DEBUG` off, a missing or malformed value stops
the server at its start, and the message names each of them.

A host project that uses `accounts` only sets the dictionary `COGNITO` instead
([adopt.md](adopt.md)). Its members are the names below without `COGNITO_`.

To create a key for `TOKEN_ENCRYPTION_KEYS`, run:

```sh
python3 -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'
```
"""
_ASSIGNMENT = re.compile(r"# ([A-Z][A-Z_]+)=(.*)")
_SECTION = re.compile(r"# --- (.+) ---")
# The last sentence of each comment says which value applies if the variable is not set.
_DEFAULT = re.compile(r"(?P<meaning>.*?)\s*(?:Default: (?P<value>.+)|(?P<required>Required.*))\.")


class Variable(NamedTuple):
    """An environment variable. An empty `default` means that a value is required."""

    section: str
    name: str
    example: str
    meaning: str
    default: str


def variables() -> list[Variable]:
    """Return the variables of .env.example. Raises ValueError for one without a default."""
    result: list[Variable] = []
    section, comment = "", ""
    for line in SOURCE.read_text(encoding="utf-8").splitlines():
        if match := _SECTION.fullmatch(line):
            section, comment = match[1], ""
        elif match := _ASSIGNMENT.fullmatch(line):
            name, example = match.groups()
            if not (parts := _DEFAULT.fullmatch(comment)):
                raise ValueError(f"The comment of {name} does not end with its default.")
            default = parts["value"] or parts["required"].lower()
            result.append(Variable(section, name, example, parts["meaning"], default))
            comment = ""
        else:
            comment = f"{comment} {line.removeprefix('#').strip()}".strip()
    return result


def page() -> str:
    """Return the page in Markdown."""
    parts = [_INTRO]
    for section in dict.fromkeys(variable.section for variable in variables()):
        rows = [
            (f"`{item.name}`", _with_links(item.default), _with_links(item.meaning), _code(item))
            for item in variables()
            if item.section == section
        ]
        heading = ("variable", "default", "meaning", "example")
        parts.append(f"## {section}\n\n{table(heading, rows)}\n")
    return "\n".join(parts)


def _code(variable: Variable) -> str:
    return f"`{variable.example}`" if variable.example else ""


def _with_links(text: str) -> str:
    """Return the text with names as code, and with links to pages instead of their paths."""
    text = re.sub(r"\(docs/([\w.-]+\.md)(#[\w-]+)?\)", r"([more](\1\2))", text)
    return re.sub(r"(?<![`\w/])((?:[A-Z]+_)+[A-Z]+)(?![`\w<])", r"`\1`", text)
