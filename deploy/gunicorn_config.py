"""The server (`make serve`): gunicorn with threads. docs/operations.md explains the choices.

By hand: `gunicorn --config deploy/gunicorn_config.py`. Nothing of the site is imported here: the
workers are forks of this process, and a reload (HUP) has to load new code and settings.
"""

import json
import logging
import os
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

if os.getcwd() not in sys.path:  # as gunicorn's own script starts
    sys.path.insert(0, os.getcwd())

from deploy import runtime_folder

_READ = (
    "import json; from sso_project import settings;"
    "print(json.dumps({**settings.SERVER, 'LOG_FORMAT': settings.LOG_FORMAT}))"
)
_settings = json.loads(subprocess.check_output([sys.executable, "-c", _READ], text=True))

wsgi_app = "sso_project.wsgi:application"
bind = _settings["BIND"]
proc_name = "sso-project"

worker_class = "deploy.worker.BoundedThreadWorker"
workers = _settings["PROCESSES"]
threads = _settings["THREADS"]
worker_tmp_dir = str(runtime_folder.shared_memory())  # heartbeats
sendfile = False  # it would wait for a slow client outside of deploy/worker.py
control_socket_disable = True
preload_app = False

# A proxy keeps its connections and closes them first; gunicorn closing them first would lose
# requests that are just being sent.
keepalive = 75  # seconds; more than the proxy's keepalive_timeout
backlog = 2048
# A worker whose main loop says nothing for so long is killed. Threads that wait for Cognito do not
# stop it: they give up by themselves after 15 seconds.
timeout = 30
# Stopping and reloading wait so long for requests that are being answered: longer than any takes.
graceful_timeout = 30

# Who is believed about addresses and schemes is TRUSTED_PROXIES' business, in one place, and nobody
# is about paths: SCRIPT_NAME from a client would change what our own addresses begin with.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
limit_request_line = 8190  # callbacks carry long codes
# The longest access token (32,768 characters: a hundred groups); cookies are fewer.
limit_request_field_size = 32_800
accesslog = None  # request_log.py writes one without queries, in which codes would stand
errorlog = "-"


class JSONLines(logging.Formatter):
    """What gunicorn itself says, with the members of sso_project/observability/json_logs.py."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        level, message = record.levelname, super().format(record)
        return json.dumps({"time": at, "level": level, "logger": record.name, "message": message})


class NoQueries(logging.Filter):
    """Leaves the query out where a line tells of a request that gunicorn could not read or answer:
    a code may stand in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = re.sub(r"\?\S+", "?********", record.getMessage()), ()
        return True


class ServerLog(Logger):  # type: ignore[misc]
    """gunicorn's own lines, in the format of the site's. By `logconfig_dict` it would also put a
    line together for each request, which nobody writes: a twelfth of a list's time."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.addFilter(NoQueries())
            if _settings["LOG_FORMAT"] == "json":
                handler.setFormatter(JSONLines())


logger_class = ServerLog


def on_starting(server: Any) -> None:
    """Create the metrics folder, and make a reload safe."""
    create_metrics_folder()
    try_before_reload(server)


def create_metrics_folder() -> None:
    """Set PROMETHEUS_MULTIPROC_DIR: all processes count there, so that /metrics of any covers all.

    A folder from the environment stays, unless it is that of the server which started this one
    (USR2).
    """
    runtime_folder.sweep_uploads(Path(tempfile.gettempdir()))
    base = runtime_folder.shared_memory()
    runtime_folder.sweep(base)
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ or "_METRICS_MADE_BY" in os.environ:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(runtime_folder.create(base))
        os.environ["_METRICS_MADE_BY"] = str(os.getpid())


def try_before_reload(server: Any) -> None:
    """Let a reload (HUP) find out first whether new workers would start, and on this database: when
    they don't, gunicorn ends the whole server."""
    reload = server.reload
    trial = (
        "import sso_project.wsgi; from django.core.management import call_command as do;"
        "from django.core.management.base import CommandError\n"
        "try: do('database_ready')\n"
        "except CommandError as error: raise SystemExit(str(error))"
    )

    def reload_if_it_would_start() -> None:
        command = [sys.executable, "-c", trial]
        tried = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        if tried.returncode:
            server.log.error("Not reloaded, everything goes on as it was. %s", tried.stderr)
        else:
            reload()

    server.reload = reload_if_it_would_start


def tune(worker: Any) -> None:
    # Whoever talks to Cognito or the database needs the interpreter often and briefly. At Python's
    # own 5 ms, fifty requests that need one renewal hold each other up: 295 ms instead of 269.
    sys.setswitchinterval(0.001)
    # gunicorn asks its settings dozens of times in each request, through an object for each of
    # them; a worker's never change, so that they may as well be plain attributes (2% of a list).
    vars(worker.cfg).update({name: each.get() for name, each in worker.cfg.settings.items()})


def post_worker_init(worker: Any) -> None:
    """Have the signing keys before the first request needs them; it can do without, slower."""
    tune(worker)

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

    if os.environ.get("_METRICS_MADE_BY") == str(os.getpid()):
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
