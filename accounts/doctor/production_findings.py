"""What is fine on a laptop and wrong at a live site."""

from __future__ import annotations

from .finding import Finding, in_environment


def debug_on() -> Finding:
    return Finding(
        id="debug-on",
        what="DEBUG is on.",
        why="Error pages show settings and source code to whoever provokes an error.",
        fix=in_environment("DEBUG=0"),
    )


def not_https(base_url: str) -> Finding:
    return Finding(
        id="not-https",
        what=f"The site's address {base_url} isn't https.",
        why="Codes and session cookies would travel in the clear; Cognito registers http for"
        " localhost only.",
        fix=in_environment("PUBLIC_URL=https://…"),
    )


def local_pool_in_use(domain: str) -> Finding:
    return Finding(
        id="local-pool-in-use",
        what=f"The pool is on this machine ({domain}).",
        why="The local pool is for development: its passwords and secrets are published.",
        fix=in_environment("COGNITO_POOL_ID", "the other COGNITO_ variables"),
    )


def deployment_check(message: str, hint: str | None, check_id: str) -> Finding:
    return Finding(
        id="deployment-check",
        what=f"{message} ({check_id})",
        why="`manage.py check --deploy` warns of it.",
        fix=(hint or "See the Django documentation of that check.",),
    )


def database_unreachable(reason: str) -> Finding:
    return Finding(
        id="database-unreachable",
        what=f"The database doesn't answer ({reason}).",
        why="Sessions and sign-ins are kept there.",
        fix=in_environment("DATABASE_URL"),
    )


def migrations_missing(names: list[str]) -> Finding:
    return Finding(
        id="migrations-missing",
        what=f"The database lacks {len(names)} migrations, {names[0]} among them.",
        why="Pages would fail on tables or columns that aren't there.",
        fix=("Run `manage.py migrate` before the new version takes requests.",),
    )


def cors_for_localhost(origins: list[str]) -> Finding:
    return Finding(
        id="cors-for-localhost",
        what=f"CORS_ALLOWED_ORIGINS holds {', '.join(origins)}.",
        why="Pages served on a person's own machine could call the live API from their browser.",
        fix=in_environment("CORS_ALLOWED_ORIGINS"),
    )


def site_unreachable(address: str, reason: str) -> Finding:
    return Finding(
        id="site-unreachable",
        what=f"{address} doesn't answer as this site does: {reason}.",
        why="People can't sign in, or another program answers them.",
        fix=(
            "Start the site, and look at DNS, certificate and proxy of that address.",
            "--base-url must be the address that people type.",
        ),
    )


def site_redirects_to_itself(address: str) -> Finding:
    return Finding(
        id="site-redirects-to-itself",
        what=f"{address} redirects to itself for ever.",
        why="The proxy ends https but this site doesn't believe its X-Forwarded-Proto, so it asks"
        " for https again and again.",
        fix=(
            "Environment or .env: TRUSTED_PROXIES with the proxy's addresses.",
            "Proxy: send X-Forwarded-Proto, replacing what the client sent.",
        ),
    )


def site_sends_elsewhere(address: str, sent: str, expected: str) -> Finding:
    return Finding(
        id="site-sends-elsewhere",
        what=f"The site at {address} sends people to the hosted UI with {sent}; this configuration"
        f" would send {expected}.",
        why="The running site was started with other values than you are checking.",
        fix=("Run this command in the environment of the running site, or restart the site.",),
    )


def site_cookie_insecure(address: str, name: str) -> Finding:
    return Finding(
        id="site-cookie-insecure",
        what=f"The site at {address} sets the cookie {name} without Secure, HttpOnly or SameSite.",
        why="It binds a sign-in to its browser; others must not be able to read or send it.",
        fix=("Environment or .env: begin PUBLIC_URL with https://, and let no proxy change it.",),
    )
