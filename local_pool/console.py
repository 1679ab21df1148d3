"""The pool's console."""

from flask import jsonify
from werkzeug.wrappers import Response

from .pool import Pool


def health(pool: Pool) -> Response:
    return jsonify(status="ok", pool=pool.config.id, issuer=pool.config.issuer)


def counts(pool: Pool) -> Response:
    return jsonify(pool.faults.counts())


ROUTES = (
    ("/_local/health", "_local_health", health, ["GET"]),
    ("/_local/counts", "_local_counts", counts, ["GET"]),
)
