"""The tasks of docs/user-tokens.md, with stand-ins for the decorators of Django and Celery."""

import re
import sys
from types import ModuleType, SimpleNamespace

import pytest
import requests
from django.utils import timezone

from accounts.models import SignIn
from tests.imports import ROOT

pytestmark = pytest.mark.django_db

PAGE = (ROOT / "docs/user-tokens.md").read_text(encoding="utf-8")
TASK = r"^```python\n(from [dc][^`]*def send_report.*?)^```"
DJANGO, CELERY = re.findall(TASK, PAGE, re.MULTILINE | re.DOTALL)
NOW = {"request": SimpleNamespace(sign_in=SimpleNamespace(pk=0)), "REPORTS_URL": "https://r.test"}


class Retry(Exception):
    """Celery's exception, which queues the task again."""


class Task(SimpleNamespace):
    """A task that is not called when it is queued."""

    def enqueue(self, *arguments):
        pass

    delay = enqueue

    def retry(self, *, exc, countdown):
        return Retry(exc, countdown)


@pytest.fixture
def send_report(request, monkeypatch):
    """A function that runs the task, and the tokens that it sent."""
    sent = []
    monkeypatch.setattr(
        requests, "post", lambda url, headers, timeout: sent.append(headers["Authorization"])
    )
    for name in ("django.tasks", "celery"):
        module = ModuleType(name)
        module.task = lambda function: Task(run=function)
        module.shared_task = lambda bind: lambda function: Task(run=function)
        monkeypatch.setitem(sys.modules, name, module)
    names = NOW | {"requests": requests}
    exec(compile(request.param, "docs/user-tokens.md", "exec"), names)
    task = names["send_report"]
    arguments = (task,) if request.param is CELERY else ()
    return lambda key: task.run(*arguments, key), sent


@pytest.mark.parametrize("send_report", [DJANGO, CELERY], indirect=True, ids=["django", "celery"])
def test_task_sends_the_token_until_the_user_signs_out(cognito_client, send_report):
    cognito_client("ada")
    sign_in = SignIn.objects.get()
    run, sent = send_report
    run(sign_in.pk)
    assert sent == [f"Bearer {sign_in.access_token()}"]
    SignIn.objects.update(ended_at=timezone.now())
    run(sign_in.pk)
    assert len(sent) == 1


@pytest.mark.parametrize("send_report", [CELERY], indirect=True, ids=["celery"])
def test_task_is_queued_again_while_cognito_is_unavailable(cognito_client, cognito, send_report):
    cognito_client("ada")
    SignIn.objects.update(renew_at="2020-01-01T00:00Z", access_expires_at="2020-01-01T00:00Z")
    cognito.down = True
    run, sent = send_report
    with pytest.raises(Retry):
        run(SignIn.objects.get().pk)
    assert sent == []
