"""An examination as text for people and as JSON for programs."""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from dataclasses import asdict

from .examination import Examination

_WIDEST = 96
_UNBROKEN = "\N{NO-BREAK SPACE}"


def as_text(examination: Examination) -> str:
    """What was looked at, each finding with its reason and fix, and the sum."""
    lines = [_paragraph("Looked at ", f"{examination.subject}."), ""]
    for number, finding in enumerate(examination.findings, 1):
        lines.append(f"{number}. {finding.id}")
        for label, text in (
            ("What", finding.what),
            ("Why", finding.why),
            *(("Fix", fix) for fix in finding.fix),
        ):
            lines.append(_paragraph(f"   {label:<5}", text))
        lines.append("")
    lines.extend(_paragraph("Not checked: ", each) for each in examination.not_checked)
    count = len(examination.findings)
    lines.append(
        "Nothing is wrong." if not count else f"{count} finding{'s' if count > 1 else ''}."
    )
    return "\n".join(lines)


def as_json(examination: Examination) -> str:
    """The same members for every version; new ones may be added."""
    return json.dumps(asdict(examination), indent=2)


def _paragraph(label: str, text: str) -> str:
    # Addresses and commands are copied: they are never broken.
    kept = re.sub(r"`[^`]*`", lambda command: command[0].replace(" ", _UNBROKEN), text)
    return textwrap.fill(
        kept,
        min(_WIDEST, shutil.get_terminal_size((_WIDEST, 0)).columns),
        initial_indent=label,
        subsequent_indent=" " * (len(label) if len(label) < 10 else 2),
        break_long_words=False,
        break_on_hyphens=False,
    ).replace(_UNBROKEN, " ")
