"""Let `python manage.py test` run the suite that `make test` runs, through pytest."""

import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.conf import settings


class PytestRunner:
    """Django's test runner interface over `python -m pytest`.

    A process of its own, so that the tests meet their own settings (`tests.settings`) and not the
    ones this command has loaded. Labels are pytest's: a folder, a file, `file::test`.
    """

    def __init__(
        self,
        *,
        verbosity: int = 1,
        failfast: bool = False,
        keepdb: bool = False,
        parallel: int | str = 0,
        test_name_patterns: Sequence[str] | None = None,
        pdb: bool = False,
        **ignored: Any,
    ) -> None:
        self.options: list[str] = []
        if verbosity != 1:
            self.options.append("-q" if verbosity == 0 else "-" + "v" * (verbosity - 1))
        if failfast:
            self.options.append("--exitfirst")
        if keepdb:
            self.options.append("--reuse-db")
        if pdb:
            self.options.append("--pdb")
        elif parallel:
            self.options += ["-n", str(parallel)]
        if test_name_patterns:
            self.options += ["-k", " or ".join(test_name_patterns)]

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """The options of Django's own runner that have a counterpart here."""
        parser.add_argument("--failfast", action="store_true", help="stop at the first failure")
        parser.add_argument("--keepdb", action="store_true", help="keep the test database")
        parser.add_argument("--pdb", action="store_true", help="debug a failure where it happens")
        parser.add_argument(
            "--parallel", nargs="?", const="auto", default=0, help="run in N processes"
        )
        parser.add_argument(
            "-k", action="append", dest="test_name_patterns", help="only tests whose name has this"
        )

    def run_tests(self, test_labels: Sequence[str], **ignored: Any) -> int:
        """Run pytest and return its exit status, 0 when every test passed."""
        environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        return subprocess.run(
            [sys.executable, "-m", "pytest", *self.options, *test_labels],
            cwd=settings.BASE_DIR,
            env=environ,
            check=False,
        ).returncode
