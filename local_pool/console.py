"""The console at ``/_local/``, as HTML pages and as JSON. Cognito has nothing like it.

It shows live sign-ins with causes and fixes, users, clients, tokens, faults, mail, and the
environment variables for an app. The gate in server.py rejects unknown Host headers and requests
from other sites.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask import jsonify, redirect, render_template, request
from werkzeug.wrappers import Response

from . import api, client_secrets, commands, grants, operations, sessions, users
from .declarations import STANDARD_SCOPES
from .errors import PoolError
from .pages import page
from .pool import Pool

SHORTCUTS = (
    ("cognito-down --for 60s", "Down for a minute"),
    ("cognito-slow --seconds 3s --for 60s", "Slow for a minute"),
    ("fail token 429 --times 1", "Throttle the next token call"),
    ("keys-empty --for 60s", "No keys for a minute"),
    ("rotate-keys", "Rotate the keys"),
    ("rotate-keys --drop-old", "Rotate, drop the old"),
    ("rotate-secret", "Rotate the client secret"),
    ("clock +1h", "Clock an hour ahead"),
    ("lifetime access 10s", "Access tokens of 10 s"),
    ("issuer updated", "Switch to the updated issuer"),
    ("failover on", "Fail over to the replica"),
    ("sessions on", "Track sessions"),
    ("expire-tokens", "Expire refresh tokens"),
    ("heal", "Reset faults and settings"),
)


def home(pool: Pool, **context: Any) -> Response:
    users_by_age = sorted(pool.state.people.values(), key=lambda user: user.created)
    environment = pool.config.app_environment()
    return page(
        "console.html",
        attempts=pool.journal.attempts()[:30],
        users=users_by_age,
        shortcuts=SHORTCUTS,
        app=pool.config.clients[pool.config.client_id].callback_urls[0].rpartition("/")[0],
        environment="\n".join(f"{name}={value}" for name, value in environment.items()),
        commands=", ".join(commands.COMMANDS),
        package=__package__,
        sessions_of=partial(sessions.active_sessions, pool) if sessions.is_enabled(pool) else None,
        current_secret=partial(client_secrets.current_value, pool),
        changed_secrets=client_secrets.changed_secret_ids(pool),
        **context,
    )


def root(pool: Pool) -> Response:
    return redirect("/_local/")


def live(pool: Pool) -> Response:
    """Return the list of sign-ins, which the page polls."""
    return Response(
        render_template("live.html", attempts=pool.journal.attempts()[:30]), mimetype="text/html"
    )


def faults(pool: Pool) -> Response:
    """List the faults (GET), clear them (DELETE), or run a command (POST ``{"do": "heal"}``)."""
    if request.method == "POST":
        return _run(pool, _command)
    if request.method == "DELETE":
        pool.faults.clear()
    active = [str(fault) for fault in pool.faults.active()]
    return jsonify(faults=active, clock_offset=pool.clock.offset)


def _command(pool: Pool, body: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(body.get("do"), str):
        raise PoolError('Send {"do": "COMMAND"}.')
    return {"said": commands.run(pool, body["do"])}


def token(pool: Pool) -> Response:
    """Return tokens for ``{"as": "ada" or "machine", "scope": "openid", "client": …}``."""
    return _run(pool, _tokens)


def _tokens(pool: Pool, body: Mapping[str, Any]) -> dict[str, Any]:
    name, scope = str(body.get("as", "")), str(body.get("scope", ""))
    config, is_machine = pool.config, name == "machine"
    default_client = config.machine_client_id if is_machine else config.client_id
    client = pool.clients.get(str(body.get("client") or default_client))
    if client is None:
        raise PoolError(f"There is no app client {body['client']}.")
    if is_machine:
        return grants.client_credentials(pool, client, {"scope": scope})
    if not set(scope.split()) <= {*STANDARD_SCOPES, *pool.custom_scopes}:
        raise PoolError(f"There is no such scope: {scope}.")
    user = users.get(pool, name)
    return grants.sign_in_directly(pool, user, client, tuple(scope.split()))


def _run(pool: Pool, action: Callable[[Pool, Mapping[str, Any]], dict[str, Any]]) -> Response:
    """Run ``action``, and return its result as JSON or, for a form, on the console page."""
    body = request.get_json(silent=True) if request.is_json else request.form
    try:
        result = action(pool, body if isinstance(body, Mapping) else {})
    except PoolError as error:
        if not request.is_json:
            return home(pool, problem=error.cause)
        response = jsonify(error=error.cause)
        response.status_code = 400
        return response
    if request.is_json:
        return jsonify(result)
    return home(pool, **result, tokens_of=request.form.get("as"))


def mail(pool: Pool) -> Response:
    mails = list(pool.state.mails.values())[::-1]
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) != "text/html":
        return jsonify(mails)
    return page("mail.html", mails=mails)


def counts(pool: Pool) -> Response:
    """Return the number of requests by endpoint and grant; DELETE resets the counts first."""
    if request.method == "DELETE":
        pool.faults.reset_counts()
    return jsonify(pool.faults.counts())


def operation_table(pool: Pool) -> Response:
    return Response(operations.table(api.OPERATIONS, api.ACCEPTED), mimetype="text/plain")


def health(pool: Pool) -> Response:
    return jsonify(status="ok", pool=pool.config.id, issuer=pool.config.issuer)


ROUTES = (
    ("/_local/", "_local", home, ["GET"]),
    ("/", "_local_root", root, ["GET"]),
    ("/_local/live", "_local_live", live, ["GET"]),
    ("/_local/faults", "_local_faults", faults, ["GET", "POST", "DELETE"]),
    ("/_local/token", "_local_token", token, ["POST"]),
    ("/_local/mail", "_local_mail", mail, ["GET"]),
    ("/_local/counts", "_local_counts", counts, ["GET", "DELETE"]),
    ("/_local/operations", "_local_operations", operation_table, ["GET"]),
    ("/_local/health", "_local_health", health, ["GET"]),
)
