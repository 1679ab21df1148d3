"""How many tests failed in the last run (`python -m tests.failed`).

Many when that is not known: a run that broke off before it wrote anything down is no near miss.
"""

import json
from pathlib import Path

MANY = 1_000_000
RECORD = Path(__file__).parents[1] / ".pytest_cache/v/cache/lastfailed"


def failed(record: Path = RECORD) -> int:
    try:
        return len(json.loads(record.read_text())) or MANY
    except (OSError, ValueError):
        return MANY


if __name__ == "__main__":
    print(failed())
