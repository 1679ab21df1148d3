"""Measure, print the table, and write .local/bench/results.json and performance.svg.

    make bench ARGS="--part micro --part macro"
    make bench ARGS="--write-docs"

Needs what tools/bench/requirements.txt installs. The exit status is 1 when anything could not be
measured; a goal that was not met is no error.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from pathlib import Path

from . import report
from .bench_site import Site
from .charts import charts
from .load import ROOT
from .machine import description
from .measuring import Refused
from .options import Options
from .outcome import Outcome
from .picture import drawn

PARTS = ("micro", "macro", "profile", "scaling", "storm", "growth")
BUSY = 0.5  # processes waiting or running, over the last minute
RESULTS = ROOT / ".local/bench"
DOCUMENT, PICTURE = ROOT / "docs/performance.md", ROOT / "docs/performance.svg"


def arguments(words: list[str]) -> argparse.Namespace:
    usual = Options()
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="instead of all of them")
    parser.add_argument("--rounds", type=int, default=usual.rounds, help="of each under load")
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="of such a round")
    parser.add_argument("--tries", type=int, default=usual.tries, help="of long lists and storms")
    parser.add_argument(
        "--write-docs", action="store_true", help="put table and picture into docs/ (all parts)"
    )
    chosen = parser.parse_args(words)
    if min(chosen.rounds, chosen.tries) < 1 or chosen.seconds <= 0:
        parser.error("rounds, tries and seconds must be more than 0")
    if chosen.write_docs and chosen.part:
        parser.error("--write-docs takes a run of all parts, so that one run tells everything")
    return chosen


def measured(parts: list[str], options: Options) -> Outcome:
    """What the parts found, one after the other; a part that fails as a whole is a problem."""
    outcome = Outcome()
    with Site() as site:
        for name in parts:
            started = time.monotonic()
            say(f"{name} …")
            try:
                outcome.take(
                    importlib.import_module(f"tools.bench.parts.{name}").run(site, options)
                )
            except (Refused, RuntimeError, TimeoutError, OSError) as error:
                outcome.problems.append(f"{name}: {error}")
            say(f"{name} took {time.monotonic() - started:.0f} s")
    return outcome


def write(outcome: Outcome, machine: dict[str, str], *, into_docs: bool) -> None:
    """The files of a run. Raises Refused: docs/ gets no table in which something is missing."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    found = json.dumps(report.as_json(outcome, machine), indent=1)
    (RESULTS / "results.json").write_text(f"{found}\n", encoding="utf-8")
    picture = drawn(charts(outcome))
    (RESULTS / PICTURE.name).write_text(picture, encoding="utf-8")
    if not into_docs:
        return
    if outcome.errors:
        raise Refused("docs/ stays as it is, since something could not be measured")
    generated = report.as_markdown(outcome, machine)
    document = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(report.rewritten(document, generated), encoding="utf-8")
    PICTURE.write_text(picture, encoding="utf-8")


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main(words: list[str]) -> int:
    chosen = arguments(words)
    machine = description()
    if os.getloadavg()[0] > BUSY:
        say("This machine has other work to do: ratios will be wide, and times say little.")
    options = Options(rounds=chosen.rounds, seconds=chosen.seconds, tries=chosen.tries)
    outcome = measured(chosen.part or list(PARTS), options)
    sys.stdout.write(f"{report.as_markdown(outcome, machine)}\n")
    problems = outcome.errors
    try:
        write(outcome, machine, into_docs=chosen.write_docs)
    except Refused as refusal:
        problems.append(str(refusal))
    for problem in problems:
        say(f"No figure: {problem}")
    say(f"Written to {RESULTS.relative_to(Path.cwd())}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
