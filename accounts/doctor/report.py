"""The report of an examination, as text for operators and as JSON for scripts."""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from dataclasses import asdict

from .examination import Examination

_MAX_WIDTH = 96
_NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


def as_text(examination: Examination) -> str:
    """Return the subject, the findings with their reasons and fixes, and the number of findings."""
    lines = [_paragraph("Checked: ", f"{examination.subject}."), ""]
    for number, finding in enumerate(examination.findings, 1):
        lines.append(f"{number}. {finding.id}")
        for label, text in (
            ("What", finding.what),
            ("Why", finding.why),
            *(("Fix", fix) for fix in finding.fix),
        ):
            lines.append(_paragraph(f"   {label:<5}", text))
        lines.append("")
    lines.extend(_paragraph("Note: ", f"{text}.") for text in examination.notes)
    lines.extend(_paragraph("Not checked: ", text) for text in examination.not_checked)
    count = len(examination.findings)
    lines.append(
        "Nothing is wrong." if not count else f"{count} finding{'s' if count > 1 else ''}."
    )
    return "\n".join(lines)


def as_json(examination: Examination) -> str:
    """Return the examination as JSON. Later versions may add members, but remove none."""
    return json.dumps(asdict(examination), indent=2)


def _paragraph(label: str, text: str) -> str:
    # URLs and commands stay on one line, so that operators can copy them.
    text = re.sub(r"`[^`]*`", lambda command: command[0].replace(" ", _NO_BREAK_SPACE), text)
    return textwrap.fill(
        text,
        min(_MAX_WIDTH, shutil.get_terminal_size((_MAX_WIDTH, 0)).columns),
        initial_indent=label,
        subsequent_indent=" " * (len(label) if len(label) < 10 else 2),
        break_long_words=False,
        break_on_hyphens=False,
    ).replace(_NO_BREAK_SPACE, " ")
