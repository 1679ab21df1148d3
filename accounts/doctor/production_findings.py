"""The findings about settings and responses that are wrong at a live site."""

from __future__ import annotations

from .finding import Finding, in_environment


def debug_on() -> Finding:
    return Finding(
        id="debug-on",
        what="DEBUG is on.",
        why="Error pages show settings and source code to anyone who causes an error.",
        fix=in_environment("DEBUG=0"),
    )


def not_https(base_url: str) -> Finding:
    return Finding(
        id="not-https",
        what=f"The URL of the site, {base_url}, does not use HTTPS.",
        why="Codes and session cookies would be sent unencrypted. Cognito registers URLs with"
        " http:// for localhost only.",
        fix=in_environment("PUBLIC_URL=https://…"),
    )


def local_pool_in_use(domain: str) -> Finding:
    return Finding(
        id="local-pool-in-use",
        what=f"The user pool runs on this machine ({domain}).",
        why="The local pool is for development: its passwords and secrets are public.",
        fix=in_environment("COGNITO_POOL_ID", "the other COGNITO_ variables"),
    )


def deployment_check(message: str, hint: str | None, check_id: str) -> Finding:
    return Finding(
        id="deployment-check",
        what=f"{message} ({check_id})",
        why="`manage.py check --deploy` has this warning.",
        fix=(hint or "See the Django documentation of this check.",),
    )


def database_unreachable(reason: str) -> Finding:
    return Finding(
        id="database-unreachable",
        what=f"The database does not respond ({reason}).",
        why="It stores the sessions and sign-ins.",
        fix=in_environment("DATABASE_URL"),
    )


def migrations_missing(names: list[str]) -> Finding:
    return Finding(
        id="migrations-missing",
        what=f"Migrations that are not applied: {len(names)}. The first is {names[0]}.",
        why="Pages would fail because of missing tables or columns.",
        fix=("Run `manage.py migrate` before the new version receives requests.",),
    )


def accounts_set_aside(count: int) -> Finding:
    return Finding(
        id="accounts-set-aside",
        what=f"Accounts that no sign-in leads to, because their pool user has another: {count}.",
        why="The issuer of the pool was switched while an earlier version was in use, so users got"
        " a second account. Their data and rights are in two accounts.",
        fix=("Run `manage.py cognito_link_users --set-aside`, and compare the accounts it lists.",),
    )


def cors_for_localhost(origins: list[str]) -> Finding:
    return Finding(
        id="cors-for-localhost",
        what=f"CORS_ALLOWED_ORIGINS contains {', '.join(origins)}.",
        why="Pages from a server on a user's own machine could call the live API in the user's"
        " browser.",
        fix=in_environment("CORS_ALLOWED_ORIGINS"),
    )


def site_unreachable(url: str, reason: str) -> Finding:
    return Finding(
        id="site-unreachable",
        what=f"{url} does not respond as this site does: {reason}.",
        why="Users cannot sign in, or another service responds to them.",
        fix=(
            "Start the site, and check the DNS, the certificate and the proxy of this URL.",
            "--base-url must be the URL that users open.",
        ),
    )


def site_redirects_to_itself(url: str) -> Finding:
    return Finding(
        id="site-redirects-to-itself",
        what=f"{url} redirects to itself endlessly.",
        why="The proxy terminates HTTPS, but this site does not trust its X-Forwarded-Proto header"
        " and redirects each request to HTTPS.",
        fix=(
            "Environment or .env: set TRUSTED_PROXIES to the IP addresses of the proxy.",
            "Proxy: send X-Forwarded-Proto, and replace the value that the client sent.",
        ),
    )


def site_sends_elsewhere(base_url: str, actual: str, expected: str) -> Finding:
    return Finding(
        id="site-sends-elsewhere",
        what=f"The site at {base_url} redirects users to the hosted UI with {actual}. This"
        f" configuration would use {expected}.",
        why="The running site was started with other values than those you are checking.",
        fix=("Run this command in the environment of the running site, or restart the site.",),
    )


def site_cookie_insecure(base_url: str, name: str) -> Finding:
    return Finding(
        id="site-cookie-insecure",
        what=f"The site at {base_url} sets the cookie {name} without Secure, HttpOnly or SameSite.",
        why="It binds a sign-in attempt to its browser. Other sites must not be able to read or"
        " send it.",
        fix=(
            "Environment or .env: begin PUBLIC_URL with https://.",
            "Proxy: do not change cookies.",
        ),
    )
