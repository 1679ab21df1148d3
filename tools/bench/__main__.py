"""Measure, print the table, and write .local/bench/results.json and performance.svg.

    make bench ARGS="--part micro --part macro"
    make bench ARGS="--write-docs"

Requires the packages of tools/bench/requirements.txt. The exit status is 1 if anything could not
be measured; a missed goal is not an error.
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
from .measuring import MeasurementError
from .options import Options
from .outcome import Outcome
from .picture import draw

PARTS = ("micro", "macro", "pages", "profile", "asgi", "scaling", "storm", "sign_in", "growth")
BUSY = 0.5  # load average of the last minute
RESULTS = ROOT / ".local/bench"
DOCUMENT, PICTURE = ROOT / "docs/performance.md", ROOT / "docs/performance.svg"


def arguments(words: list[str]) -> argparse.Namespace:
    defaults = Options()
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="run only this part")
    parser.add_argument("--rounds", type=int, default=defaults.rounds, help="rounds under load")
    parser.add_argument("--seconds", type=float, default=defaults.seconds, help="of such a round")
    parser.add_argument(
        "--tries", type=int, default=defaults.tries, help="of long lists and storms"
    )
    parser.add_argument(
        "--write-docs",
        action="store_true",
        help="write table and chart into docs/ (requires all parts)",
    )
    chosen = parser.parse_args(words)
    if min(chosen.rounds, chosen.tries) < 1 or chosen.seconds <= 0:
        parser.error("rounds, tries and seconds must be more than 0")
    if chosen.write_docs and chosen.part:
        parser.error("--write-docs requires a run of all parts")
    return chosen


def measure(parts: list[str], options: Options) -> Outcome:
    """Run the parts one after the other. A part that fails is reported as a problem."""
    outcome = Outcome()
    with Site() as site:
        for name in parts:
            started = time.monotonic()
            say(f"{name} …")
            try:
                outcome.take(
                    importlib.import_module(f"tools.bench.parts.{name}").run(site, options)
                )
            except (MeasurementError, RuntimeError, TimeoutError, OSError) as error:
                outcome.problems.append(f"{name}: {error}")
            say(f"{name} took {time.monotonic() - started:.0f} s")
    return outcome


def write(outcome: Outcome, machine: dict[str, str], *, into_docs: bool) -> None:
    """Write the files of a run. Raises MeasurementError if docs/ would get an incomplete table."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    results = json.dumps(report.as_json(outcome, machine), indent=1)
    (RESULTS / "results.json").write_text(f"{results}\n", encoding="utf-8")
    picture = draw(charts(outcome))
    (RESULTS / PICTURE.name).write_text(picture, encoding="utf-8")
    if not into_docs:
        return
    if outcome.errors:
        raise MeasurementError("docs/ was not changed, because something could not be measured")
    generated = report.as_markdown(outcome, machine)
    document = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(report.replace_table(document, generated), encoding="utf-8")
    PICTURE.write_text(picture, encoding="utf-8")


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main(words: list[str]) -> int:
    chosen = arguments(words)
    machine = description()
    if os.getloadavg()[0] > BUSY:
        say("This machine is busy: ratios will vary widely, and times are not reliable.")
    options = Options(rounds=chosen.rounds, seconds=chosen.seconds, tries=chosen.tries)
    outcome = measure(chosen.part or list(PARTS), options)
    sys.stdout.write(f"{report.as_markdown(outcome, machine)}\n")
    problems = outcome.errors
    try:
        write(outcome, machine, into_docs=chosen.write_docs)
    except MeasurementError as error:
        problems.append(str(error))
    for problem in problems:
        say(f"No figure: {problem}")
    say(f"Written to {RESULTS.relative_to(Path.cwd())}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
