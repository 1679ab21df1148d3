"""Write the generated pages of docs/ and build the documentation site into .local/docs/site.

make docs
make docs ARGS=--serve    # and show it on http://localhost:8002 while you write
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from . import PAGES
from .files import ROOT


def main() -> int:
    parser = argparse.ArgumentParser(prog="make docs", description=__doc__)
    parser.add_argument("--serve", action="store_true", help="show the site while you write")
    options = parser.parse_args()
    for name, page in PAGES.items():
        (ROOT / "docs" / name).write_text(page(), encoding="utf-8")
    command = ["build", "--strict", "--site-dir", ".local/docs/site"]
    if options.serve:
        command = ["serve", "--dev-addr", "localhost:8002"]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    program = [sys.executable, "-m", "mkdocs", *command]
    if options.serve:
        return subprocess.run(program, cwd=ROOT, env=environment, check=False).returncode
    # With --quiet, MkDocs would count no warnings, and --strict would have no effect.
    done = subprocess.run(
        program, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if not line.startswith("INFO")]
        print("\n".join(lines), file=sys.stderr)
    else:
        print("The site is in .local/docs/site.")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
