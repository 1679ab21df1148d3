"""``/_local/``: the pool as its developer sees it. Nothing here exists at Cognito.

Live sign-ins with causes and fixes, people, clients, tokens to copy, faults, mail, the app's
environment; as pages for people and as JSON for programs. The gate in server.py refuses foreign
Host headers and requests of other sites.
"""

import json
from collections.abc import Mapping
from typing import Any

from flask import jsonify, redirect, render_template, request
from werkzeug.wrappers import Response

from . import commands, grants, people
from .declarations import STANDARD_SCOPES
from .errors import PoolError
from .hosted_ui import page
from .pool import Pool

SHORTCUTS = (
    ("cognito-down --for 60s", "Down for a minute"),
    ("cognito-slow --seconds 3s --for 60s", "Slow for a minute"),
    ("fail token 429 --times 1", "Throttle the next token call"),
    ("keys-empty --for 60s", "No keys for a minute"),
    ("rotate-keys", "Rotate the keys"),
    ("rotate-keys --drop-old", "Rotate, drop the old"),
    ("clock +1h", "Clock an hour ahead"),
    ("lifetime access 10s", "Access tokens of 10 s"),
    ("expire-tokens", "Expire refresh tokens"),
    ("heal", "Everything right again"),
)


def home(pool: Pool) -> Response:
    return _home(pool)


def _home(pool: Pool, **said: Any) -> Response:
    known = sorted(pool.state.people.values(), key=lambda person: person.created)
    environment = pool.config.app_environment()
    return page(
        "console.html",
        attempts=pool.journal.attempts()[:30],
        known=known,
        shortcuts=SHORTCUTS,
        app=pool.config.clients[pool.config.client_id].callback_urls[0].rpartition("/")[0],
        environment="\n".join(f"{name}={value}" for name, value in environment.items()),
        commands=", ".join(commands.COMMANDS),
        **said,
    )


def root(pool: Pool) -> Response:
    return redirect("/_local/")


def live(pool: Pool) -> Response:
    """The list of sign-ins alone, which the page fetches again and again."""
    return Response(
        render_template("live.html", attempts=pool.journal.attempts()[:30]), mimetype="text/html"
    )


def faults(pool: Pool) -> Response:
    """GET lists, DELETE clears, POST commands: ``{"do": "rotate-keys"}`` or a fault's members."""
    if request.method == "POST":
        return _command(pool)
    if request.method == "DELETE":
        pool.faults.clear()
    active = [str(fault) for fault in pool.faults.active()]
    return jsonify(faults=active, clock_offset=pool.clock.offset)


def _body() -> Mapping[str, Any]:
    body = request.get_json(silent=True) if request.is_json else request.form
    return body if isinstance(body, Mapping) else {}


def _command(pool: Pool) -> Response:
    body = _body()
    try:
        if not ("do" in body or {"endpoint", "kind"} <= set(body)):
            raise PoolError('Send {"do": "COMMAND"} or {"endpoint": …, "kind": …}.')
        words = str(body.get("do", ""))
        if not words:
            options = [(k, v) for k, v in body.items() if k not in ("endpoint", "kind")]
            given = "".join(f" --{name} {value}" for name, value in options)
            words = f"fail {body['endpoint']} {body['kind']}{given}"
        said = commands.run(pool, words)
    except PoolError as error:
        if request.is_json:
            return _error(error.message)
        return _home(pool, problem=error.message)
    return jsonify(said=said) if request.is_json else _home(pool, said=said)


def _error(message: str) -> Response:
    response = jsonify(error=message)
    response.status_code = 400
    return response


def token(pool: Pool) -> Response:
    """``{"as": "ada" or "machine", "scope": "openid", "client": …}``: a token answer."""
    body = _body()
    given = {name: str(body.get(name, "")) for name in ("as", "scope", "client")}
    config = pool.config
    try:
        if given["as"] == "machine":
            client = config.clients[given["client"] or config.machine_client_id]
            answer = grants.client_credentials(pool, client, {"scope": given["scope"]})
        else:
            client = config.clients[given["client"] or config.client_id]
            scopes = tuple(given["scope"].split()) or client.scopes
            if not set(scopes) <= {*STANDARD_SCOPES, *config.custom_scopes}:
                raise PoolError(f"There is no such scope: {given['scope']}.")
            answer = grants.sign_in_directly(pool, people.get(pool, given["as"]), client, scopes)
    except KeyError:
        return _error(f"There is no app client {given['client']}.")
    except PoolError as error:
        return _error(error.cause) if request.is_json else _home(pool, problem=error.cause)
    if request.is_json:
        return jsonify(answer)
    return _home(pool, tokens=answer, tokens_of=given["as"])


def mail(pool: Pool) -> Response:
    mails = list(pool.state.mails.values())[::-1]
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) != "text/html":
        return jsonify([json.loads(mail.line) for mail in mails])
    return page("mail.html", mails=mails)


def counts(pool: Pool) -> Response:
    """Requests since the start, by endpoint and grant; DELETE starts again."""
    if request.method == "DELETE":
        pool.faults.reset_counts()
    return jsonify(pool.faults.counts())


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
    ("/_local/health", "_local_health", health, ["GET"]),
)
