"""``/_local/``: the pool as its developer sees it. Nothing here exists at Cognito.

Live sign-ins with causes and fixes, people, clients, tokens to copy, faults, mail, the app's
environment; as pages for people and as JSON for programs. The gate in server.py refuses foreign
Host headers and requests of other sites.
"""

from collections.abc import Callable, Mapping
from typing import Any

from flask import jsonify, redirect, render_template, request
from werkzeug.wrappers import Response

from . import client_secrets, commands, grants, people
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


def home(pool: Pool, **said: Any) -> Response:
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
        changed_secrets=client_secrets.changed(pool),
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
    """GET lists, DELETE clears, POST commands: ``{"do": "rotate-keys"}``."""
    if request.method == "POST":
        return _answer(pool, _command)
    if request.method == "DELETE":
        pool.faults.clear()
    active = [str(fault) for fault in pool.faults.active()]
    return jsonify(faults=active, clock_offset=pool.clock.offset)


def _command(pool: Pool, body: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(body.get("do"), str):
        raise PoolError('Send {"do": "COMMAND"}.')
    return {"said": commands.run(pool, body["do"])}


def token(pool: Pool) -> Response:
    """``{"as": "ada" or "machine", "scope": "openid", "client": …}``: a token answer."""
    return _answer(pool, _tokens)


def _tokens(pool: Pool, body: Mapping[str, Any]) -> dict[str, Any]:
    name, scope = str(body.get("as", "")), str(body.get("scope", ""))
    config, machine = pool.config, name == "machine"
    own = config.machine_client_id if machine else config.client_id
    client = config.clients.get(str(body.get("client") or own))
    if client is None:
        raise PoolError(f"There is no app client {body['client']}.")
    if machine:
        return grants.client_credentials(pool, client, {"scope": scope})
    if not set(scope.split()) <= {*STANDARD_SCOPES, *config.custom_scopes}:
        raise PoolError(f"There is no such scope: {scope}.")
    person = people.get(pool, name)
    return grants.sign_in_directly(pool, person, client, tuple(scope.split()))


def _answer(pool: Pool, act: Callable[[Pool, Mapping[str, Any]], dict[str, Any]]) -> Response:
    """JSON for a program; the console, with what came of it, for a person's form."""
    body = request.get_json(silent=True) if request.is_json else request.form
    try:
        done = act(pool, body if isinstance(body, Mapping) else {})
    except PoolError as error:
        if not request.is_json:
            return home(pool, problem=error.cause)
        response = jsonify(error=error.cause)
        response.status_code = 400
        return response
    if request.is_json:
        return jsonify(done)
    return home(pool, **done, tokens_of=request.form.get("as"))


def mail(pool: Pool) -> Response:
    mails = list(pool.state.mails.values())[::-1]
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) != "text/html":
        return jsonify(mails)
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
