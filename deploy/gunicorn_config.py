"""The server (`make serve`): gunicorn with threads. docs/operations.md explains the choices.

By hand: `gunicorn --config deploy/gunicorn_config.py`.
"""

import os
import tempfile
from typing import Any

from sso_project.settings import LOGGING, SERVER

wsgi_app = "sso_project.wsgi:application"
bind = SERVER["BIND"]
proc_name = "sso-project"

worker_class = "gthread"
workers = SERVER["PROCESSES"]
threads = SERVER["THREADS"]
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 (heartbeats: no disk)
control_socket_disable = True
preload_app = False  # a reload (HUP) must load new code

# A proxy keeps its connections and closes them first; gunicorn closing them first would lose
# requests that are just being sent.
keepalive = 75  # seconds; more than the proxy's keepalive_timeout
backlog = 2048
# A worker whose main loop says nothing for so long is killed. Threads that wait for Cognito do not
# stop it: they give up by themselves after 15 seconds.
timeout = 30
# Stopping and reloading wait so long for requests that are being answered: longer than any takes.
graceful_timeout = 30

forwarded_allow_ips = "*"  # who is believed is TRUSTED_PROXIES' business, in one place
limit_request_line = 8190  # callbacks carry long codes
limit_request_field_size = 16380  # cookies of ten sign-in attempts
accesslog = None  # request_log.py writes one without queries, in which codes would stand
errorlog = "-"
logconfig_dict = {
    **LOGGING,
    "loggers": {**LOGGING["loggers"], "gunicorn.error": {"level": "INFO", "propagate": True}},
}

# All processes count into files here, so that any of them can tell of all (/metrics). Set once: a
# reload reads this file again.
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="sso-metrics-")
    _made_here = True


def post_worker_init(worker: Any) -> None:
    """Have the signing keys before the first request needs them; it can do without, slower."""
    import threading

    from accounts.cognito.errors import CognitoError
    from accounts.provider import provider

    def warm_up() -> None:
        try:
            provider().verifier.keys.load()
        except CognitoError as error:
            worker.log.warning("Signing keys are not here yet: %s", error)

    threading.Thread(target=warm_up, name="warm-up", daemon=True).start()


def child_exit(server: Any, worker: Any) -> None:
    """Forget what a process that is gone said about itself; what it counted stays counted."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    import shutil

    if globals().get("_made_here"):
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
