"""The configuration of gunicorn (`make serve`). docs/operations.md explains the choices.

`gunicorn --config deploy/gunicorn_config.py` starts the server without make. This file does not
import the site: workers are forks of this process, and a reload (HUP) must load new code.
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

if os.getcwd() not in sys.path:  # gunicorn's own script does not add it
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
sendfile = False  # it bypasses the limits of deploy/worker.py for slow clients
control_socket_disable = True
preload_app = False

# Longer than the proxy's keepalive_timeout, so that the proxy closes idle connections first.
# Otherwise a request that the proxy is just sending would be lost.
keepalive = 75  # seconds
backlog = 2048
# A worker is killed if its main loop does not respond for this many seconds. Threads that wait for
# Cognito do not block that loop, and give up after 15 seconds.
timeout = 30
# Stopping and reloading wait this many seconds for running requests, longer than any takes.
graceful_timeout = 30

# gunicorn trusts no forwarded header. TRUSTED_PROXIES decides about IP addresses and schemes, and
# no client may set SCRIPT_NAME, which would change the site's links.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
limit_request_line = 8190  # callback URLs hold long codes
# For the longest access token: 32,768 characters, with a hundred groups.
limit_request_field_size = 32_800
accesslog = None  # request_log.py logs requests, without queries, which may hold codes
errorlog = "-"


class JSONLines(logging.Formatter):
    """A formatter for gunicorn's log, with the members of observability/json_logs.py."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        level, message = record.levelname, super().format(record)
        return json.dumps({"time": time, "level": level, "logger": record.name, "message": message})


class MaskQueries(logging.Filter):
    """A filter that masks queries in errors about requests, because they may hold codes."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = re.sub(r"\?\S+", "?********", record.getMessage()), ()
        return True


class ServerLog(Logger):  # type: ignore[misc]
    """gunicorn's logger, with the log format of the site.

    With `logconfig_dict` instead, gunicorn would also format an access log line for each request.
    """

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.addFilter(MaskQueries())
            if _settings["LOG_FORMAT"] == "json":
                handler.setFormatter(JSONLines())


logger_class = ServerLog


def on_starting(server: Any) -> None:
    """Create the metrics folder, and make a reload safe."""
    create_metrics_folder()
    check_before_reload(server)


def create_metrics_folder() -> None:
    """Set PROMETHEUS_MULTIPROC_DIR, the folder in which all processes of this server count.

    A folder from the environment is used, unless it belongs to the server that started this one
    (USR2).
    """
    runtime_folder.sweep_uploads(Path(tempfile.gettempdir()))
    base = runtime_folder.shared_memory()
    runtime_folder.sweep(base)
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ or "_METRICS_MADE_BY" in os.environ:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(runtime_folder.create(base))
        os.environ["_METRICS_MADE_BY"] = str(os.getpid())


def check_before_reload(server: Any) -> None:
    """Make a reload (HUP) check first that new workers can start with the code and the database.

    If new workers failed to start, gunicorn would stop the whole server.
    """
    reload = server.reload
    code = (
        "import sso_project.wsgi; from django.core.management import call_command as do;"
        "from django.core.management.base import CommandError\n"
        "try: do('database_ready')\n"
        "except CommandError as error: raise SystemExit(str(error))"
    )

    def reload_if_startable() -> None:
        command = [sys.executable, "-c", code]
        result = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        if result.returncode:
            server.log.error(
                "The server was not reloaded, and continues with the previous code: %s",
                result.stderr,
            )
        else:
            reload()

    server.reload = reload_if_startable


def tune(worker: Any) -> None:
    # Threads that wait for Cognito or the database need the interpreter often and for a short time.
    # With Python's default of 5 ms, they delay each other.
    sys.setswitchinterval(0.001)


def post_worker_init(worker: Any) -> None:
    """Download the signing keys in the background, before the first request needs them."""
    tune(worker)

    import threading

    from accounts.cognito.errors import CognitoError
    from accounts.provider import provider

    def warm_up() -> None:
        try:
            provider().keys.load()
        except CognitoError as error:
            worker.log.warning("The signing keys have not been downloaded yet: %s", error)

    threading.Thread(target=warm_up, name="warm-up", daemon=True).start()


def child_exit(server: Any, worker: Any) -> None:
    """Delete the gauges of a process that has ended. Its counters remain in the totals."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    import shutil

    if os.environ.get("_METRICS_MADE_BY") == str(os.getpid()):
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
