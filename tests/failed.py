"""Print the number of tests that failed in the last run (`python -m tests.failed`).

It is UNKNOWN, a large number, if the run was aborted before pytest stored its results.
"""

import json
from pathlib import Path

UNKNOWN = 1_000_000
RECORD = Path(__file__).parents[1] / ".pytest_cache/v/cache/lastfailed"


def count_failed(record: Path = RECORD) -> int:
    try:
        return len(json.loads(record.read_text())) or UNKNOWN
    except (OSError, ValueError):
        return UNKNOWN


if __name__ == "__main__":
    print(count_failed())
