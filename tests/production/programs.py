"""The programs that tests/production needs: which are missing, and how to get them.

`python -m tests.production.programs` installs Debian's when REQUIRE_SERVICES=1 and we are root.
"""

import os
import shutil
import subprocess
import sys

from tools.rehearsal.services import PROGRAMS, MissingProgram, program

NEEDED = ("initdb", "redis-server", "nginx", "pgbouncer")


def missing() -> list[str]:
    found = []
    for name in NEEDED:
        try:
            program(name)
        except MissingProgram:
            found.append(name)
    return found


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
