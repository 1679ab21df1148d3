"""Migrations are only added: an existing one never changes, because sites have applied it."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).parent.parent
RELEASED = Path(__file__).parent / "released_migrations.txt"


def digests():
    files = sorted(ROOT.glob("*/migrations/[0-9]*.py"))
    return {
        str(file.relative_to(ROOT)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    }


def released():
    lines = (line.split() for line in RELEASED.read_text().splitlines())
    return {name: digest for digest, name in lines}


def test_released_migrations_are_unchanged():
    actual = digests()
    changed = [name for name, digest in released().items() if actual.get(name) != digest]
    assert not changed, f"Add a migration instead of changing or deleting {changed}."


def test_new_migrations_are_listed():
    new = {name: digest for name, digest in digests().items() if name not in released()}
    lines = "\n".join(f"{digest}  {name}" for name, digest in new.items())
    assert not new, f"Add to {RELEASED.name}, once the migration is final:\n{lines}"
