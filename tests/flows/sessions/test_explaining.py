"""`manage.py cognito_explain_sign_in` with the reference of an attempt."""

import hashlib

import pytest
from django.core.management import CommandError, call_command

from accounts.audit import events
from accounts.models import EventKind, SignInEvent
from tests.flows.conftest import query_of

pytestmark = pytest.mark.django_db(transaction=True)


def reference_of(start):
    return hashlib.sha256(query_of(start)["state"].encode()).hexdigest()[:8]


def explained(capsys, reference):
    call_command("cognito_explain_sign_in", reference)
    return capsys.readouterr().out


def test_sign_in_is_explained_from_beginning_to_end(visitor, capsys):
    start = visitor.start("/server/?secret=1")
    callback = visitor.callback(start)
    visitor.get(callback)
    reference = reference_of(start)
    output = explained(capsys, reference.upper())
    assert "The sign-in is active" in output
    visitor.sign_out()
    output = explained(capsys, reference)
    steps = ["started, next page: /server/", "returned", "exchanged the code", "signed in as ada"]
    places = [output.index(step) for step in [*steps, "signed out: signed_out"]]
    assert places == sorted(places)
    assert "secret=1" not in output
    assert query_of(callback)["code"] not in str(list(SignInEvent.objects.values()))


def test_refusal_has_a_cause_and_a_fix(visitor, capsys, settings):
    start = visitor.start()
    callback = visitor.callback(start)
    settings.COGNITO = settings.COGNITO | {"CLIENT_SECRET": "not-the-secret-of-this-client"}
    assert visitor.get(callback).status_code == 503
    output = explained(capsys, reference_of(start))
    assert "refused: client_rejected" in output
    assert "Check these settings: COGNITO_CLIENT_ID COGNITO_CLIENT_SECRET" in output


def test_bad_token_is_named(visitor, capsys):
    start = visitor.start()
    visitor.pool.faults.add("id-token", "wrong-nonce", times=1)
    visitor.get(visitor.callback(start))
    output = explained(capsys, reference_of(start))
    assert "refused: nonce_mismatch" in output
    assert "Start again from here" in output


def test_unknown_reference_is_an_error_that_helps():
    with pytest.raises(CommandError, match="never returned"):
        call_command("cognito_explain_sign_in", "0badcafe")


def test_attackers_cannot_fill_the_audit_log(visitor, monkeypatch):
    monkeypatch.setattr(events, "MAX_SUBNET_REFUSALS", 3)
    for _ in range(20):
        visitor.start()
        visitor.get("/signin?code=made-up&state=made-up")
    assert not SignInEvent.objects.exists()
    starts = [visitor.start_again() for _ in range(6)]
    for start in starts:
        visitor.get(f"/signin?code=made-up&state={query_of(start)['state']}")
    assert SignInEvent.objects.filter(kind="refused").count() == 3
    assert SignInEvent.objects.filter(kind=EventKind.REFUSALS_OMITTED).count() == 1
    visitor.sign_in()
    assert SignInEvent.objects.filter(kind="signed_in", pool_username="ada").count() == 1


def test_limit_of_the_audit_log_is_mentioned_if_it_may_be_the_reason(visitor, monkeypatch):
    monkeypatch.setattr(events, "MAX_SUBNET_REFUSALS", 3)
    references = []
    for number in range(4):
        start = visitor.start_again()
        references.append(reference_of(start))
        visitor.get(f"/signin?code=junk{number}&state={query_of(start)['state']}")
    with pytest.raises(CommandError) as output:
        call_command("cognito_explain_sign_in", references[-1])
    assert "never returned" not in str(output.value)
    assert "more refusals than 3 of this reason from 127.0.0.1 in one hour" in str(output.value)
    assert "grant_rejected" in str(output.value)


def test_forged_lines_stay_one_line(visitor, capsys):
    start = visitor.start()
    visitor.get(f"/signin?error=access_denied%0A12:00 signed in&state={query_of(start)['state']}")
    output = explained(capsys, reference_of(start))
    assert not any(line.startswith("12:00") for line in output.splitlines())
