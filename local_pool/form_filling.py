"""Signing in through the pages over HTTP, as a browser without JavaScript does."""

import html
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

MAX_PAGES = 10
Form = dict[str, str]
User = tuple[str, str, Callable[[Form], str]]  # username, password, code of a second factor


def sign_in(
    url: str, port: int, browser: requests.Session, user: User, trusted: str | None = None
) -> str:
    """Return the first URL outside the pool on ``port``. Raises AssertionError if there is none.

    ``trusted`` is the file of a certificate.
    """
    options: dict[str, Any] = {"allow_redirects": False, "timeout": 10, "verify": trusted}
    response = browser.get(url, **options)
    for _ in range(MAX_PAGES):
        if response.is_redirect:
            url = urljoin(url, response.headers["Location"])
            if urlsplit(url).port != port:
                return url
            response = browser.get(url, **options)
        elif form := _fill_in(response.text, user):
            action = re.search(r'<form method="post" action="(/[^"]+)"', response.text)
            url = urljoin(url, html.unescape(action[1] if action else ""))
            response = browser.post(url, form, **options)
        else:
            break
    alert = re.search(r'role="alert"[^>]*>(.*?)<', response.text, re.DOTALL)
    message = html.unescape(alert[1]) if alert else response.text[:300]
    raise AssertionError(f"The pool responded with {response.status_code} at {url}: {message}")


def _fill_in(page: str, user: User) -> Form:
    """Return the fields of the form on a page, or {} if the page has an error or no form."""
    if 'role="alert"' in page:
        return {}
    username, password, code = user
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([\w.@+-]*)"', page))
    if 'name="cognitoSignInForm"' in page:
        return hidden | {"username": username, "password": password}
    if 'action="/_local/provider?' in page:
        return hidden | {"subject": username, "email": f"{username}@example.com"}
    return hidden | {"code": code(hidden)} if 'action="/mfa?' in page else {}
