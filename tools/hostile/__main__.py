"""`make hostile`: attacks, honest load, checker, report.

python -m tools.hostile [--seconds 300] [--report FILE]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from local_pool.testing import Seed
from tools.load.arrangement import POOL, say
from tools.rehearsal.instances import ROOT, Site
from tools.rehearsal.services import require

from .report import Result, markdown
from .run import Folders, all_names, run_weaknesses, run_whole
from .target import INSIDER

WHOLE_SECONDS = 300.0  # a shorter run does not replace the report of a whole one


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.hostile", description=__doc__)
    parser.add_argument("--seconds", type=float, default=WHOLE_SECONDS)
    parser.add_argument("--report", type=Path, help="default: docs/hostile.md for a whole run")
    options = parser.parse_args()
    is_whole = options.seconds >= WHOLE_SECONDS
    report = options.report or ROOT / ("docs/hostile.md" if is_whole else ".local/hostile.md")
    report.parent.mkdir(exist_ok=True)
    require("initdb", "redis-server", "nginx")
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        result = rehearse(Path(folder), options.seconds)
    report.write_text(markdown(result), encoding="utf-8")
    say(f"{'passed' if result.passed else 'FAILED'}: {report}")
    return 0 if result.passed else 1


def rehearse(folder: Path, seconds: float) -> Result:
    """Start the site, run all phases, and stop the site."""
    folders = Folders(temporary=folder / "temporary", metrics=folder / "metrics")
    for path in (folders.temporary, folders.metrics):
        path.mkdir()
    environment = {
        "SPA_COMPAT": "1",
        "BREAK_GLASS_LOGIN": "1",
        "TMPDIR": str(folders.temporary),
        "PROMETHEUS_MULTIPROC_DIR": str(folders.metrics),
    }
    names = [*all_names(), INSIDER]
    users = [Seed(name, email=f"{name}@example.com", groups=("editors",)) for name in names]
    say("starting PostgreSQL, Redis, a pool, two instances and nginx")
    with Site(environment=environment, people=users, **POOL) as site:
        os.environ.update(site.environment)
        import django

        django.setup()
        say(f"attacking for {seconds:.0f} s")
        phase = run_whole(site, folders, seconds)
        result = Result(seconds, phase, run_weaknesses(site, folders, say))
        if not result.passed:
            (ROOT / ".local").mkdir(exist_ok=True)
            (ROOT / ".local/hostile.log").write_text(site.logs(), encoding="utf-8")
    return result


if __name__ == "__main__":
    sys.exit(main())
