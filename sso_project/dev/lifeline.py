"""End a child process when the process that started it is gone, however it went.

The parent holds one end of a pipe and never writes; when it dies, even by `kill -9`, the operating
system closes that end and the child reads the end of the file. So no server is left behind on a
port. `python -m sso_project.dev.lifeline MODULE [ARGS]` runs a module that way.
"""

import os
import runpy
import sys
import threading

VARIABLE = "DEV_LIFELINE_FD"  # names the inherited end of the pipe, for children of children too


def hold() -> None:
    """From now on this process ends with the one that handed it the pipe."""
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
