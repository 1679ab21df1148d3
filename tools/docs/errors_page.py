"""docs/errors.md, generated from the error classes and the table of messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import cleandoc

from accounts.cognito.errors import CognitoError, TokenRejected
from accounts.problems import catalog

from .files import table

_INTRO = """# Errors by code

This page lists every error of the product: its code, its HTTP status, its cause, and what to do.
Pages, API responses and the audit log use the same codes. The table is generated from the
messages that the product shows.

A page of an error shows a reference such as `7c1e22aa`. `manage.py cognito_explain_sign_in
7c1e22aa` prints the steps of that sign-in. [Runbooks](operations.md#monitoring) describe what
operators do when an error is frequent.
"""
_OTHERS = (
    (400, catalog.BAD_REQUEST),
    (400, catalog.INCOMPLETE_BODY),
    (500, catalog.SERVER_ERROR),
    (503, catalog.DATABASE_UNAVAILABLE),
)


def page() -> str:
    """Return the page in Markdown."""
    rows = {}
    for error in _classes(CognitoError):
        kind = next(kind for kind in error.__mro__ if kind in catalog.PROBLEMS)
        problem = catalog.PROBLEMS[kind]
        status = f"{problem.status}, API: 401" if issubclass(error, TokenRejected) else ""
        cause = re.sub(r"`+", "`", cleandoc(error.__doc__ or "").partition("\n\n")[0])
        rows[error.code] = (
            status or str(problem.status),
            " ".join(cause.split()),
            problem.what,
            _next_step(problem),
        )
    for number, text in _OTHERS:
        what, _, next_step = text.detail.partition(". ")
        rows[text.code] = (str(number), "", f"{what}.", next_step)
    heading = ("code", "status", "cause", "what the user reads", "what to do")
    lines = [(f"`{code}`", *rows[code]) for code in sorted(rows) if code != CognitoError.code]
    return f"{_INTRO}\n{table(heading, lines)}\n"


def _next_step(problem: catalog.Problem) -> str:
    """Return what to do next, for users and for operators."""
    names = ", ".join(f"`{name}`" for name in problem.setting_names.split())
    if not names:
        return problem.next_step
    return f"{problem.next_step} Operators: check {names}, or run `manage.py cognito_doctor`."


def _classes(kind: type[CognitoError]) -> Iterator[type[CognitoError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _classes(child)
