"""The programs that tests/production requires.

`python -m tests.production.programs` reports missing ones. As root with REQUIRE_SERVICES=1, it
installs the packages of Debian.
"""

import os
import shutil
import subprocess
import sys

from tools.rehearsal.services import PROGRAMS, MissingProgram, program

NEEDED = ("initdb", "redis-server", "nginx", "pgbouncer")


def missing() -> list[str]:
    absent = []
    for name in NEEDED:
        try:
            program(name)
        except MissingProgram:
            absent.append(name)
    return absent


def required() -> bool:
    return os.environ.get("REQUIRE_SERVICES", "") not in ("", "0")


def main() -> int:
    if not missing() or not required():
        return 0
    if os.getuid() == 0 and shutil.which("apt-get"):
        packages = [PROGRAMS[name] for name in missing()]
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update", "-q"], ["install", "-qq", "--yes", *packages]):
            command = ["apt-get", *arguments]
            subprocess.run(command, env=environ, check=False, stdout=subprocess.DEVNULL)
    if still := missing():
        print(f"REQUIRE_SERVICES=1, and {' and '.join(still)} is not installed.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
