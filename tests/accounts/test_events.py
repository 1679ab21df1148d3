"""The record of sign-ins: signals, the list in the admin, its export, its end."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts import events, signals, spreadsheet
from accounts.admin import event_list
from accounts.models import SignInEvent, User

pytestmark = pytest.mark.django_db
LIST = reverse("admin:accounts_signinevent_changelist")


@pytest.fixture
def heard():
    """What a project's own receivers are told."""
    told = []

    def receive(signal, **known):
        told.append((signal, known))

    named = {**signals.BY_KIND, "any": signals.event_recorded}
    for one in named.values():
        one.connect(receive, weak=False, dispatch_uid="heard")
    yield told
    for one in named.values():
        one.disconnect(dispatch_uid="heard")


@pytest.fixture
def user():
    return User.objects.create_user("person-1", first_name="Ada")


@pytest.mark.parametrize(("kind", "signal"), signals.BY_KIND.items())
def test_signal_tells_what_was_recorded(
    kind, signal, user, heard, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        events.record(kind, user=user, person="ada", reason="why", reference="7c1e09ab", added="x")
    assert [one for one, _ in heard] == [signal, signals.event_recorded]
    known = heard[0][1]
    assert (known["user"], known["person"], known["reason"]) == (user, "ada", "why")
    assert (known["reference"], known["details"], known["request"]) == (
        "7c1e09ab",
        {"added": "x"},
        None,
    )
    assert heard[1][1]["kind"] == kind


def test_signal_tells_of_a_sign_in_and_a_sign_out(
    cognito_client, heard, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        client = cognito_client("ada")
        client.post(reverse("accounts:logout"))
    named = [(signal, known) for signal, known in heard if signal is not signals.event_recorded]
    assert [signal for signal, _ in named] == [signals.signed_in, signals.signed_out]
    assert all(known["user"] == User.objects.get() for _, known in named)
    assert "token" not in str([known["details"] for _, known in named])


def test_nothing_is_told_of_what_was_rolled_back(user, heard, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        events.record("signed in", user=user)
        transaction.set_rollback(True)
    assert heard == []


def test_receiver_that_breaks_disturbs_nobody(user, caplog, django_capture_on_commit_callbacks):
    def breaks(**known):
        raise RuntimeError("the mail server is away")

    signals.signed_in.connect(breaks)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            events.record("signed in", user=user)
    finally:
        signals.signed_in.disconnect(breaks)
    assert SignInEvent.objects.get().kind == "signed in"
    assert "the mail server is away" in caplog.text


def test_list_leads_to_the_person_and_filters(admin_client, user):
    events.record("signed in", user=user, person="ada", reference="7c1e09ab")
    events.record("refused", reason="state_mismatch", reference="11111111")
    page = admin_client.get(LIST, {"kind": "signed in"}).text
    person = reverse("admin:accounts_user_change", args=[user.pk])
    assert f'<a href="{person}">Ada</a>' in page
    assert "7c1e09ab" in page
    assert "11111111" not in page
    assert "11111111" in admin_client.get(LIST, {"q": "11111111"}).text


def test_event_shows_its_steps_and_cannot_be_changed(admin_client, user):
    event = SignInEvent.objects.create(
        kind="refused",
        details={"why": "<b>no</b>", "steps": [{"at": 1, "step": "callback", "next": "/a"}]},
    )
    address = reverse("admin:accounts_signinevent_change", args=[event.pk])
    page = admin_client.get(address).text
    assert "why: &lt;b&gt;no&lt;/b&gt;" in page
    assert "callback next=/a" in page
    assert admin_client.post(address, {"kind": "signed in"}).status_code == 403
    delete = reverse("admin:accounts_signinevent_delete", args=[event.pk])
    assert admin_client.post(delete, {"post": "yes"}).status_code == 403
    event.refresh_from_db()
    assert event.kind == "refused"


def test_export_holds_what_is_filtered_and_no_formula(admin_client, user):
    events.record("signed in", user=user, person="=HYPERLINK(1)", reference="7c1e09ab")
    events.record("refused", reason="state_mismatch")
    answer = admin_client.post(
        f"{LIST}?kind=signed+in",
        {"action": "export_csv", "select_across": "1", "_selected_action": ["0"]},
    )
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]
    header, line, *rest = answer.getvalue().decode().splitlines()
    assert header == "at,kind,reason,person,user,reference,address,device,details"
    assert ",signed in,,'=HYPERLINK(1),Ada,7c1e09ab," in line
    assert rest == []


@pytest.mark.parametrize("sign", spreadsheet.FORMULA_SIGNS)
def test_export_neutralises_whatever_begins_a_formula(sign):
    assert spreadsheet.neutral(f"{sign}cmd") == f"'{sign}cmd"
    assert spreadsheet.neutral(f"cmd{sign}") == f"cmd{sign}"
    SignInEvent.objects.create(kind="refused", device=f"{sign}cmd", person=f"{sign}1")
    _, line = event_list.csv_lines(SignInEvent.objects.all())
    [cells] = csv.reader(StringIO(line))
    assert (cells[3], cells[7]) == (f"'{sign}1", f"'{sign}cmd")


def flood(reason):
    SignInEvent.objects.bulk_create(
        SignInEvent(kind="refused", reason=reason) for _ in range(events.MOST_OF_STRANGERS)
    )


def test_refusals_of_strangers_are_kept_up_to_so_many_of_each_reason():
    flood("state_mismatch")
    events.record("refused", reason="state_mismatch", reference="00000001")
    assert not SignInEvent.objects.filter(reference="00000001").exists()
    SignInEvent.objects.filter(pk=SignInEvent.objects.last().pk).update(
        at=timezone.now() - timedelta(hours=1, seconds=1)
    )
    events.record("refused", reason="state_mismatch", reference="00000002")
    assert SignInEvent.objects.filter(reference="00000002").exists()


def test_strangers_crowd_out_nothing_but_their_own_refusals(user):
    flood("state_mismatch")
    events.record("forgotten", reason="operator")
    events.record("refused", reason="break_glass")
    events.record("refused", reason="state_mismatch", user=user)
    events.record("rights_changed", group="editors", added="permission add_stat")
    assert SignInEvent.objects.count() == events.MOST_OF_STRANGERS + 4


def test_refused_person_who_is_known_is_named(cognito_client):
    ada = cognito_client("ada")
    user = ada.user
    user.is_active = False
    user.save()
    with pytest.raises(AssertionError, match="was not signed in: 403"):
        cognito_client("ada")
    event = SignInEvent.objects.get(kind="refused")
    assert (event.user, event.person, event.reason) == (user, "ada", "person_deactivated")
    assert event.address == "127.0.0.1"


def test_refused_person_whom_nobody_knows_is_named_as_the_pool_does(cognito_client, settings):
    settings.COGNITO = {**settings.COGNITO, "CREATE_PEOPLE": False}
    with pytest.raises(AssertionError, match="was not signed in: 403"):
        cognito_client("ada")
    event = SignInEvent.objects.get(kind="refused")
    assert (event.user, event.person, event.reason) == (None, "ada", "unknown_person")


def test_housekeeping_forgets_events_after_the_configured_time(settings, user):
    settings.COGNITO = {
        **settings.COGNITO,
        "LIMITS": {**settings.COGNITO["LIMITS"], "events": 7 * 86_400},
    }
    old, young = timezone.now() - timedelta(days=8), timezone.now() - timedelta(days=6)
    SignInEvent.objects.create(kind="signed in", user=user, at=old, reference="old")
    SignInEvent.objects.create(kind="signed in", user=user, at=young, reference="young")
    call_command("housekeeping", verbosity=0)
    assert [event.reference for event in SignInEvent.objects.all()] == ["young"]
