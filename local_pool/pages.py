"""Rendering the pool's pages, and checking their forms.

As at Cognito, every page has the authorize query in its URL, and finally redirects to the app.
"""

import hmac
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import current_app, make_response, render_template, request
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from . import languages, passwords
from .authorization import AuthorizationRequest
from .declarations import Client
from .errors import UserError
from .oauth import read_request, usable_session
from .pool import Pool

Form = Mapping[str, str]
PAGE_PARAMETERS = ("username", "sent", "reset")  # what the pages add to the authorize query


def set_cookie(response: Response, name: str, value: str, max_age: int | None = None) -> None:
    """Set a cookie that scripts and other sites do not get, and that is Secure with HTTPS."""
    options: dict[str, Any] = {"max_age": max_age, "secure": request.is_secure}
    response.set_cookie(name, value, httponly=True, samesite="Lax", **options)


def page(template: str, status: int = 200, **context: object) -> Response:
    """Render a page with its CSRF token, in a cookie and in every form."""
    token = request.cookies.get("XSRF-TOKEN") or str(uuid.uuid4())
    pool: Any = current_app.jinja_env.globals["pool"]
    wanted = request.args.get("lang") or request.cookies.get("lang", "")
    wanted = "" if pool.config.plan == "lite" else wanted  # the classic UI has no languages
    language = languages.choose(wanted)
    context |= {
        "csrf": token,
        "query": page_url("").lstrip("?"),
        "rules": passwords.describe_policy(pool.config),
    }
    context |= {"language": language, "t": partial(languages.translate, language)}
    response = make_response(render_template(template, **context), status)
    set_cookie(response, "XSRF-TOKEN", token)
    if wanted in languages.COGNITO:
        set_cookie(response, "lang", wanted)
    return response


def page_url(path: str, **parameters: str) -> str:
    """Return the URL of another page with the same authorize query."""
    query = [(k, v) for k, v in request.args.items(multi=True) if k not in PAGE_PARAMETERS]
    return f"{path}?{urlencode([*query, *parameters.items()])}"


def is_same_origin() -> bool | None:
    """Return True if the browser's headers name this origin, None if there are no such headers."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is None and origin is None:
        return None
    return site in (None, "same-origin") and origin in (None, request.host_url.rstrip("/"))


def check_form() -> None:
    """Reject a form from another site with status 403.

    The browser's "same origin" is enough, because a new browser that opens several sign-in pages
    at once only keeps the last cookie. Without it, the form must contain the cookie's value.
    """
    same_origin = is_same_origin()
    cookie, field = request.cookies.get("XSRF-TOKEN", ""), request.form.get("_csrf", "")
    has_token = bool(cookie) and hmac.compare_digest(cookie.encode(), field.encode())
    if same_origin is False or not (same_origin or has_token):
        raise Forbidden("This form was not sent from the pool's own page. Open the page again.")


def form_view(
    template: str,
    submit: Callable[[Pool, AuthorizationRequest, Form], Response],
    *,
    offers_choice: Callable[[Pool, Client], bool] | None = None,
) -> Callable[[Pool], Response]:
    """Return a view that shows the form, submits it, and shows it again after a UserError."""

    def view(pool: Pool) -> Response:
        auth_request = read_request(pool)
        client, session = auth_request.client, usable_session(pool, auth_request)
        has_choice = offers_choice is not None and offers_choice(pool, client)
        context: dict[str, Any] = {"client": client, "session": session, "has_choice": has_choice}
        if request.method == "GET":
            return page(template, form=request.args, **context)
        check_form()
        try:
            return submit(pool, auth_request, request.form)
        except UserError as error:
            pool.journal.step(auth_request.reference, request.endpoint or "", error=error)
            return page(template, form=request.form, error=error.message, **context)

    return view
