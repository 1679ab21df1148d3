"""What can be wrong on this site's side: settings, host names, cookies."""

from __future__ import annotations

from ..provider.settings import SETTING_HINT
from .finding import Finding, in_environment


def setting_wrong(message: str, hint: str | None) -> Finding:
    return Finding(
        id="setting-wrong",
        what=message,
        why="The site refuses to start with it while DEBUG is off, and can't sign people in.",
        fix=(hint or SETTING_HINT,),
    )


def host_not_allowed(host: str, allowed: list[str]) -> Finding:
    return Finding(
        id="host-not-allowed",
        what=f"ALLOWED_HOSTS ({', '.join(allowed) or 'empty'}) doesn't hold {host}.",
        why="Every request is answered with 400, the callback of the hosted UI among them.",
        fix=in_environment(f"ALLOWED_HOSTS={','.join([*allowed, host])}"),
    )


def public_url_differs(public_url: str, base_url: str) -> Finding:
    return Finding(
        id="public-url-differs",
        what=f"People reach the site at {base_url}, but PUBLIC_URL is {public_url}.",
        why="The hosted UI would bring them back to another address than they came from, where"
        " the cookie of their sign-in is missing.",
        fix=in_environment(f"PUBLIC_URL={base_url}"),
    )


def cookies_not_secure(base_url: str, names: list[str]) -> Finding:
    return Finding(
        id="cookies-not-secure",
        what=f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} off, although people come"
        f" by {base_url}.",
        why="One plain-http request anywhere shows the session cookie to whoever listens.",
        fix=(
            "Environment or .env: begin PUBLIC_URL with https:// (this project derives both).",
            f"Settings of another project: {' = '.join(names)} = True.",
        ),
    )


def cookies_not_returned(base_url: str) -> Finding:
    return Finding(
        id="cookies-not-returned",
        what=f"Cookies are marked Secure, but people come by {base_url}.",
        why="Browsers keep such cookies for https only, so each sign-in is lost on its way back.",
        fix=(
            "Serve the site over https, or begin PUBLIC_URL with http:// (for localhost only).",
            "Behind a proxy that ends https: --base-url must be the address that people type.",
        ),
    )


def session_cookie_strict() -> Finding:
    return Finding(
        id="session-cookie-strict",
        what="SESSION_COOKIE_SAMESITE is Strict.",
        why="Browsers leave it out when people come back from the hosted UI, so they seem signed"
        " out on the first page.",
        fix=('Settings: SESSION_COOKIE_SAMESITE = "Lax".',),
    )


def session_cookie_of_another_domain(domain: str, host: str) -> Finding:
    return Finding(
        id="session-cookie-domain",
        what=f"SESSION_COOKIE_DOMAIN is {domain}, which {host} may not set.",
        why="Browsers drop the session cookie, so nobody stays signed in.",
        fix=("Settings: remove SESSION_COOKIE_DOMAIN; the cookie is then the site's own.",),
    )


def middleware_missing(name: str) -> Finding:
    return Finding(
        id="middleware-missing",
        what=f"MIDDLEWARE doesn't hold {name} after Django's AuthenticationMiddleware.",
        why="Sessions would go on after their sign-in has ended, and tokens would not be renewed.",
        fix=(f'Settings: add "{name}" to MIDDLEWARE, below AuthenticationMiddleware.',),
    )


def private_responses_missing(name: str) -> Finding:
    return Finding(
        id="private-responses-missing",
        what=f"MIDDLEWARE doesn't hold {name} before Django's SessionMiddleware.",
        why="Proxies and browsers may store pages that show a user's data, and serve them again.",
        fix=(f'Settings: add "{name}" to MIDDLEWARE, above SessionMiddleware.',),
    )


def backend_missing(name: str) -> Finding:
    return Finding(
        id="backend-missing",
        what=f"AUTHENTICATION_BACKENDS doesn't hold {name} or a subclass of it.",
        why="Nobody takes the code that the hosted UI sends, so every sign-in fails.",
        fix=(f'Settings: add "{name}" to AUTHENTICATION_BACKENDS.',),
    )
