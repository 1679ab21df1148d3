"""docs/architecture.md: the table of everyday changes names files and names that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/architecture.md").read_text()
TABLE = PAGE.partition("## Where do I change …")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| ([^|]+) \| `([^`]+)` \| `([^`]+)` \|$", TABLE, re.MULTILINE)


def test_table_has_twenty_changes_or_more():
    assert len(ROWS) >= 20
    assert len(ROWS) == TABLE.count("\n| ") - 1  # each line but the heading was read


@pytest.mark.parametrize(("change", "path", "name"), ROWS)
def test_file_of_a_change_has_the_name(change, path, name):
    content = (ROOT / path).read_text()
    assert re.search(rf"^\s*(class |def )?{re.escape(name)}", content, re.MULTILINE)


def test_diagrams_are_sequence_diagrams():
    diagrams = re.findall(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)
    assert len(diagrams) == 3
    for diagram in diagrams:
        participants = set(re.findall(r"participant (\w+)", diagram))
        arrows = re.findall(r"(\w+)-?->>(\w+):", diagram)
        assert arrows
        assert {name for arrow in arrows for name in arrow} <= participants
