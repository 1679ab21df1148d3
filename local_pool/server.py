"""The HTTP server: a Flask application around a Pool, on a threaded server.

Every request passes one gate, which rejects an unknown Host header (DNS rebinding), counts the
request and applies a fault. Error handlers turn the views' exceptions into Cognito's responses.
"""

import socket
import ssl
import threading
import uuid
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from flask import Flask, g, request
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.exceptions import Forbidden, HTTPException
from werkzeug.http import http_date
from werkzeug.routing import Map
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from . import (
    api,
    console,
    discovery,
    hosted_sign_in,
    hosted_ui,
    oauth,
    pages,
    provider,
    registration,
    service_model,
)
from .declarations import LOOPBACK
from .errors import CallbackError, PageError, TokenError, UserError
from .faults import Fault
from .pool import Pool

ROOT = str(Path(__file__).parent)
DOMAIN_HEADERS = {
    "Cache-Control": "no-cache, no-store, max-age=0, must-revalidate",
    "Pragma": "no-cache",
    "Expires": "0",
    "X-Content-Type-Options": "nosniff",
    "X-XSS-Protection": "1; mode=block",
    "X-Frame-Options": "DENY",
}
MODULES = (
    discovery,
    oauth,
    hosted_sign_in,
    hosted_ui,
    provider,
    registration,
    api,
    console,
)
CORS_ENDPOINTS = ("token", "revoke", "userInfo", "discovery", "jwks", "api", "register")
CORS_HEADERS = (
    "authorization, cache-control, content-type, x-amz-target, x-amz-user-agent,"
    " amz-sdk-invocation-id, amz-sdk-request"
)
FAULT_RESPONSES = {  # status, body, content type
    "403": (403, "<html><body>403 Forbidden</body></html>", "text/html"),  # as of AWS WAF
    "429": (429, "Rate Exceeded", "text/plain"),
    "500": (500, "Internal Server Error", "text/plain"),
    "503": (503, "Service Unavailable", "text/plain"),
    "garbage": (200, "<html>{not json", "application/json"),
    "empty": (200, "", "application/json"),
    "no-keys": (200, '{"keys": []}', "application/json"),
}


def create_app(pool: Pool, *, hosts: tuple[str, ...] = LOOPBACK) -> Flask:
    """Return the pool's WSGI application, which only accepts the Host names in ``hosts``."""
    app = Flask("local_pool", root_path=ROOT)
    app.jinja_env.globals["pool"] = pool
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.bytecode_cache = _compiled_templates
    app.url_map = _routes(pool.config.id)
    for module in MODULES:
        for _, endpoint, view, _ in module.ROUTES:
            app.view_functions.setdefault(endpoint, partial(view, pool))
    app.before_request(partial(_gate, pool, hosts))
    app.after_request(partial(_finish, pool))
    app.register_error_handler(PageError, partial(oauth.to_error_page, pool))
    app.register_error_handler(CallbackError, partial(oauth.to_callback, pool))
    app.register_error_handler(TokenError, partial(oauth.token_error, pool))
    app.register_error_handler(UserError, partial(api.exception, pool))
    app.register_error_handler(HTTPException, partial(hosted_ui.http_error, pool))
    return app


@lru_cache(maxsize=8)
def _routes(pool_id: str) -> Map:
    """Return the routes for all pools of this ID: compiling them is most of the start."""
    app = Flask("local_pool", root_path=ROOT)
    for module in MODULES:
        for rule, endpoint, _, methods in module.ROUTES:
            app.add_url_rule(rule.format(pool_id=pool_id), endpoint, methods=methods)
    return app.url_map


class _CompiledTemplates(BytecodeCache):
    """The compiled templates of all pools in this process."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self._code.get(bucket.key):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


_compiled_templates = _CompiledTemplates()


def _gate(pool: Pool, hosts: tuple[str, ...]) -> Response | None:
    name = request.host.rpartition(":")[0] if request.host[-1:].isdigit() else request.host
    if name.strip("[]").lower() not in hosts:
        text = f"This pool accepts the hosts {', '.join(hosts)}, not {request.host[:100]}.\n"
        return Response(text, 400, mimetype="text/plain")
    endpoint = request.endpoint or ""
    is_unsafe = request.method not in ("GET", "HEAD", "OPTIONS")
    is_protected = endpoint.startswith("_local") or (
        endpoint == "api" and not service_model.is_public(api.operation())
    )
    if is_unsafe and is_protected and pages.is_same_origin() is False:
        raise Forbidden("This request was sent by another site.")
    is_own_page = endpoint.startswith("_local") or endpoint in ("static", "error", "")
    if is_own_page or request.method == "OPTIONS":
        return None
    grant = request.form.get("grant_type", "") if endpoint == "token" else ""
    if endpoint == "api":
        grant = api.operation()
    pool.faults.count(endpoint, grant)
    g.fault = pool.faults.take(endpoint, grant)
    return _apply_fault(pool, g.fault) if g.fault else None


def _apply_fault(pool: Pool, fault: Fault) -> Response | None:
    """Return the response that a fault requires, or None for the regular response."""
    pool.journal.line(f"fault     {request.path} {fault.kind}")
    if request.endpoint == "api" and fault.kind == "429":
        raise UserError("TooManyRequestsException", "Rate exceeded")
    if fault.kind in FAULT_RESPONSES:
        status, body, mimetype = FAULT_RESPONSES[fault.kind]
        return Response(body, status, mimetype=mimetype)
    if fault.kind == "redirect":
        return Response("", 302, {"Location": f"{request.host_url}elsewhere"})
    if fault.kind in oauth.CALLBACK_ERRORS and request.args.get("redirect_uri"):
        raise oauth.callback_error(pool, fault.kind)
    if fault.kind == "slow":
        pool.stopping.wait(fault.seconds)
    if fault.kind == "close":
        _hang_up()
        return Response("", 500)
    return None


def _hang_up() -> None:
    """Close the connection, so that the client gets no response."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)


def _finish(pool: Pool, response: Response) -> Response:
    if getattr(g, "fault", None) is not None and g.fault.kind == "lost":
        _hang_up()
    if request.endpoint in CORS_ENDPOINTS:
        response.headers["Access-Control-Allow-Origin"] = "*"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
            response.headers["Access-Control-Allow-Headers"] = CORS_HEADERS
        else:
            response.headers["Access-Control-Expose-Headers"] = "x-amzn-errortype"
    if request.endpoint not in ("discovery", "jwks", "static"):
        for name, value in DOMAIN_HEADERS.items():
            response.headers.setdefault(name, value)
    response.headers["x-amz-cognito-request-id"] = str(uuid.uuid4())
    return response


class _Handler(WSGIRequestHandler):
    pool: Pool  # set by Server

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the Date header in the pool's own time, as a server with a wrong clock would."""
        return http_date(self.pool.clock() if timestamp is None else timestamp)

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 (Werkzeug's name)
        """Log nothing per request: the journal has the events."""


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 selects a free port. Raises OSError if it is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(256)
    except OSError:
        listener.close()
        raise
    return listener


class Server:
    """A server in its own thread, which runs until ``stop``."""

    def __init__(
        self,
        pool: Pool,
        listener: socket.socket,
        hosts: tuple[str, ...] = LOOPBACK,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._pool = pool
        host, port = listener.getsockname()[:2]
        app = create_app(pool, hosts=hosts)
        fd, handler = listener.fileno(), type("Handler", (_Handler,), {"pool": pool})
        self._server: BaseWSGIServer = make_server(
            host, port, app, threaded=True, request_handler=handler, fd=fd, ssl_context=tls
        )
        listener.close()  # make_server has duplicated it
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop accepting connections, and end the delay of slow responses."""
        self._pool.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
