"""End a child process when its parent process ends, for any reason.

The parent holds one end of a pipe and never writes to it. When the parent ends, even by `kill -9`,
the operating system closes that end, and the child reads the end of the file. So no server stays on
a port. `python -m sso_project.dev.lifeline MODULE [ARGS]` runs a module this way.
"""

import os
import runpy
import sys
import threading

VARIABLE = "DEV_LIFELINE_FD"  # the file descriptor of the inherited end


def hold() -> None:
    """End this process as soon as the other end of the pipe is closed."""
    descriptor = os.environ.get(VARIABLE)
    if descriptor:
        threading.Thread(target=_end_with_parent, args=(int(descriptor),), daemon=True).start()


def _end_with_parent(descriptor: int) -> None:
    os.read(descriptor, 1)
    os._exit(0)


if __name__ == "__main__":
    hold()
    module = sys.argv[1]
    del sys.argv[0]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
