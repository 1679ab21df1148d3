"""`manage.py explain_sign_in`: an attempt retold from its reference."""

import hashlib

import pytest
from django.core.management import CommandError, call_command

from accounts.audit import events
from accounts.models import SignInEvent
from tests.flows.conftest import query_of

pytestmark = pytest.mark.django_db(transaction=True)


def reference_of(start):
    return hashlib.sha256(query_of(start)["state"].encode()).hexdigest()[:8]


def explained(capsys, reference):
    call_command("explain_sign_in", reference)
    return capsys.readouterr().out


def test_sign_in_is_retold_from_its_beginning_to_its_end(visitor, capsys):
    start = visitor.start("/server/?secret=1")
    callback = visitor.callback(start)
    visitor.get(callback)
    reference = reference_of(start)
    told = explained(capsys, reference.upper())
    assert "The session goes on" in told
    visitor.sign_out()
    told = explained(capsys, reference)
    steps = ["began, on the way to /server/", "came back", "redeemed the code", "signed in as ada"]
    places = [told.index(step) for step in [*steps, "signed out: signed_out"]]
    assert places == sorted(places)
    assert "secret=1" not in told
    assert query_of(callback)["code"] not in str(list(SignInEvent.objects.values()))


def test_refusal_says_why_and_what_to_do(visitor, capsys, settings):
    start = visitor.start()
    callback = visitor.callback(start)
    settings.COGNITO = settings.COGNITO | {"CLIENT_SECRET": "not-the-secret-of-this-client"}
    assert visitor.get(callback).status_code == 503
    told = explained(capsys, reference_of(start))
    assert "refused: client_rejected" in told
    assert "To mend it, look at: COGNITO_CLIENT_ID COGNITO_CLIENT_SECRET" in told


def test_spoilt_token_is_named(visitor, capsys):
    start = visitor.start()
    visitor.pool.faults.add("id-token", "wrong-nonce", times=1)
    visitor.get(visitor.callback(start))
    told = explained(capsys, reference_of(start))
    assert "refused: nonce_mismatch" in told
    assert "Start again from here" in told


def test_unknown_reference_is_an_error_that_helps():
    with pytest.raises(CommandError, match="never came back"):
        call_command("explain_sign_in", "0badcafe")


def test_strangers_cannot_fill_the_record(visitor, monkeypatch):
    monkeypatch.setattr(events, "MAX_SUBNET_REFUSALS", 3)
    for _ in range(20):
        visitor.start()
        visitor.get("/signin?code=made-up&state=made-up")
    assert not SignInEvent.objects.exists()
    starts = [visitor.start() for _ in range(6)]
    for start in starts:
        visitor.get(f"/signin?code=made-up&state={query_of(start)['state']}")
    assert SignInEvent.objects.filter(kind="refused").count() == 3
    assert SignInEvent.objects.filter(kind=events.OMITTED).count() == 1
    visitor.sign_in()
    assert SignInEvent.objects.filter(kind="signed in", person="ada").count() == 1


def test_limit_of_the_record_is_named_where_it_may_be_the_reason(visitor, monkeypatch):
    monkeypatch.setattr(events, "MAX_SUBNET_REFUSALS", 3)
    references = []
    for number in range(4):
        start = visitor.start()
        references.append(reference_of(start))
        visitor.get(f"/signin?code=junk{number}&state={query_of(start)['state']}")
    with pytest.raises(CommandError) as told:
        call_command("explain_sign_in", references[-1])
    assert "never came back" not in str(told.value)
    assert "more refusals than 3 of this reason from 127.0.0.1 in one hour" in str(told.value)
    assert "grant_rejected" in str(told.value)


def test_forged_lines_stay_one_line(visitor, capsys):
    start = visitor.start()
    visitor.get(f"/signin?error=access_denied%0A12:00 signed in&state={query_of(start)['state']}")
    told = explained(capsys, reference_of(start))
    assert not any(line.startswith("12:00") for line in told.splitlines())
