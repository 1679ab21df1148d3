"""The steps of a browser sign-in."""

from __future__ import annotations

from django.http import HttpRequest

from ..audit import events
from ..audit.attempt_log import note
from ..cognito.errors import CognitoError, ProviderRefused
from ..core import metrics
from ..problems.catalog import problem_for


def record_refusal(request: HttpRequest, error: CognitoError, *, reference: str) -> None:
    """Record why an attempt was refused; without a reference (no attempt of ours) only log it."""
    problem = problem_for(error)
    metrics.count("sign_ins", result=error.code)
    if not reference:
        note("", "refused", level=problem.level, reason=error.code, why=error.message)
        return
    events.record(
        "refused",
        reference=reference,
        user=error.data.get("user"),
        person=error.data.get("person", ""),
        reason=error.code,
        request=request,
        level=problem.level,
        subject=error.data.get("subject", ""),
        why=error.message,
        said=error.description if isinstance(error, ProviderRefused) else "",
        check=problem.settings,
    )
