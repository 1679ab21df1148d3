"""The recommended server for an application that does not load keys in advance."""

from typing import Any

from deploy.gunicorn_config import *  # noqa: F403 (gunicorn reads every name)

wsgi_app = "tools.bench.peers.wsgi:application"


def post_worker_init(worker: Any) -> None:  # type: ignore[no-redef]
    tune(worker)  # noqa: F405
