"""The findings about this site's settings: host names, cookies, installed classes."""

from __future__ import annotations

from ..provider.members import SETTING_HINT
from .finding import Finding, in_environment


def setting_wrong(message: str, hint: str | None) -> Finding:
    return Finding(
        id="setting-wrong",
        what=message,
        why="Until it is corrected, users cannot sign in. With DEBUG off, the site does not start.",
        fix=(hint or SETTING_HINT,),
    )


def host_not_allowed(host: str, allowed: list[str]) -> Finding:
    return Finding(
        id="host-not-allowed",
        what=f"ALLOWED_HOSTS ({', '.join(allowed) or 'empty'}) does not contain {host}.",
        why="This site responds to every request with 400, also to the callback of the hosted UI.",
        fix=in_environment(f"ALLOWED_HOSTS={','.join([*allowed, host])}"),
    )


def public_url_differs(public_url: str, base_url: str) -> Finding:
    return Finding(
        id="public-url-differs",
        what=f"Users reach the site at {base_url}, but PUBLIC_URL is {public_url}.",
        why="The hosted UI would return users to a URL to which the browser does not send the"
        " cookie of the sign-in attempt.",
        fix=in_environment(f"PUBLIC_URL={base_url}"),
    )


def cookies_not_secure(base_url: str, names: list[str]) -> Finding:
    return Finding(
        id="cookies-not-secure",
        what=f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} off, although users reach"
        f" the site at {base_url}.",
        why="A single request over plain HTTP shows the session cookie to anyone on the network.",
        fix=(
            "Environment or .env: begin PUBLIC_URL with https:// (this project derives both).",
            f"Settings of another project: {' = '.join(names)} = True.",
        ),
    )


def cookies_not_returned(base_url: str) -> Finding:
    return Finding(
        id="cookies-not-returned",
        what=f"Cookies are marked Secure, but users reach the site at {base_url}.",
        why="Browsers send such cookies over HTTPS only, so no sign-in can be completed.",
        fix=(
            "Serve the site over HTTPS, or begin PUBLIC_URL with http:// (for localhost only).",
            "Behind a proxy that terminates HTTPS: --base-url must be the URL that users open.",
        ),
    )


def session_cookie_strict() -> Finding:
    return Finding(
        id="session-cookie-strict",
        what="SESSION_COOKIE_SAMESITE is Strict.",
        why="Browsers do not send the session cookie when users return from the hosted UI, so the"
        " first page shows them as signed out.",
        fix=('Settings: SESSION_COOKIE_SAMESITE = "Lax".',),
    )


def session_cookie_of_another_domain(domain: str, host: str) -> Finding:
    return Finding(
        id="session-cookie-domain",
        what=f"SESSION_COOKIE_DOMAIN is {domain}, but the host of the site is {host}.",
        why="Browsers refuse a session cookie for another domain, so users do not stay signed in.",
        fix=("Settings: remove SESSION_COOKIE_DOMAIN. The cookie is then for this host only.",),
    )


def middleware_missing(name: str) -> Finding:
    return Finding(
        id="middleware-missing",
        what=f"MIDDLEWARE does not contain {name} after Django's AuthenticationMiddleware.",
        why="Sessions would continue after their sign-in has ended, and no token would be"
        " refreshed.",
        fix=(f'Settings: add "{name}" to MIDDLEWARE, below AuthenticationMiddleware.',),
    )


def private_responses_missing(name: str) -> Finding:
    return Finding(
        id="private-responses-missing",
        what=f"MIDDLEWARE does not contain {name} before Django's SessionMiddleware.",
        why="Proxies and browsers may store pages that show a user's data, and serve them again.",
        fix=(f'Settings: add "{name}" to MIDDLEWARE, above SessionMiddleware.',),
    )


def backend_missing(name: str) -> Finding:
    return Finding(
        id="backend-missing",
        what=f"AUTHENTICATION_BACKENDS does not contain {name} or a subclass of it.",
        why="No backend accepts the code that the hosted UI returns, so every sign-in fails.",
        fix=(f'Settings: add "{name}" to AUTHENTICATION_BACKENDS.',),
    )
