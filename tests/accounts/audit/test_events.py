"""The audit log: signals, the list in the admin, the export, and the deletion of old events."""

import csv
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts import signals
from accounts.admin_site import events as admin_site_events
from accounts.audit import events
from accounts.models import EventKind, RateCounter, SignInEvent, User
from accounts.signin import break_glass

pytestmark = pytest.mark.django_db
LIST = reverse("admin:accounts_signinevent_changelist")


@pytest.fixture
def received_signals():
    """Return the list of the signals that receivers get, with their arguments."""
    received = []

    def receive(signal, **arguments):
        received.append((signal, arguments))

    named_signals = {**events.SIGNALS, "any": signals.event_recorded}
    for one in named_signals.values():
        one.connect(receive, weak=False, dispatch_uid="received_signals")
    yield received
    for one in named_signals.values():
        one.disconnect(dispatch_uid="received_signals")


@pytest.fixture
def user():
    return User.objects.create_user("user-1", first_name="Ada")


@pytest.mark.parametrize(("kind", "signal"), events.SIGNALS.items())
def test_signal_is_sent_for_a_recorded_event(
    kind, signal, user, received_signals, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        events.record_event(
            kind, user=user, pool_username="ada", reason="why", reference="7c1e09ab", added="x"
        )
    assert [one for one, _ in received_signals] == [signal, signals.event_recorded]
    arguments = received_signals[0][1]
    assert (arguments["user"], arguments["pool_username"], arguments["reason"]) == (
        user,
        "ada",
        "why",
    )
    assert (arguments["reference"], arguments["details"], arguments["request"]) == (
        "7c1e09ab",
        {"added": "x"},
        None,
    )
    assert received_signals[1][1]["kind"] == kind


def test_signals_are_sent_for_sign_in_and_sign_out(
    cognito_client, received_signals, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        client = cognito_client("ada")
        client.post(reverse("accounts:logout"))
    named_signals = [
        (signal, arguments)
        for signal, arguments in received_signals
        if signal is not signals.event_recorded
    ]
    assert [signal for signal, _ in named_signals] == [signals.signed_in, signals.signed_out]
    assert all(arguments["user"] == User.objects.get() for _, arguments in named_signals)
    assert "token" not in str([arguments["details"] for _, arguments in named_signals])


def test_no_signal_is_sent_after_a_rollback(
    user, received_signals, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        events.record_event("signed_in", user=user)
        transaction.set_rollback(True)
    assert received_signals == []


def test_failing_receiver_does_not_affect_the_others(
    user, caplog, django_capture_on_commit_callbacks
):
    def breaks(**arguments):
        raise RuntimeError("the mail server is down")

    signals.signed_in.connect(breaks)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            events.record_event("signed_in", user=user)
    finally:
        signals.signed_in.disconnect(breaks)
    assert SignInEvent.objects.get().kind == "signed_in"
    assert "the mail server is down" in caplog.text


def test_list_links_to_the_user_and_filters(admin_client, user):
    events.record_event("signed_in", user=user, pool_username="ada", reference="7c1e09ab")
    events.record_event("refused", reason="state_mismatch", reference="11111111")
    page = admin_client.get(LIST, {"kind__exact": "signed_in"}).text
    user_page = reverse("admin:accounts_user_change", args=[user.pk])
    assert f'<a href="{user_page}">Ada</a>' in page
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
    assert admin_client.post(address, {"kind": "signed_in"}).status_code == 403
    delete = reverse("admin:accounts_signinevent_delete", args=[event.pk])
    assert admin_client.post(delete, {"post": "yes"}).status_code == 403
    event.refresh_from_db()
    assert event.kind == "refused"


def test_export_contains_the_filtered_events_and_no_formula(admin_client, user):
    events.record_event("signed_in", user=user, pool_username="=HYPERLINK(1)", reference="7c1e09ab")
    events.record_event("refused", reason="state_mismatch")
    answer = admin_client.post(
        f"{LIST}?kind__exact=signed_in",
        {"action": "export_csv", "select_across": "1", "_selected_action": ["0"]},
    )
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]
    content = answer.getvalue()
    assert content.startswith(b"\xef\xbb\xbf")
    header, line, *rest = content.decode("utf-8-sig").splitlines()
    assert header == "at,kind,reason,pool_username,user,reference,ip_address,device,details"
    assert ",signed_in,,'=HYPERLINK(1),Ada,7c1e09ab," in line
    assert rest == []


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_export_has_no_formula_whichever_separator_a_program_expects(separator):
    texts = ["=1", "x;=1", "x\t@1", "x,+1", "\uff1d1", ';"=1']
    for text in texts:
        SignInEvent.objects.create(
            kind="refused", device=text, pool_username=text, details={"a": text}
        )
    content = "".join(admin_site_events.csv_lines(SignInEvent.objects.all()))
    lines = [*csv.reader(StringIO(content, newline=""), delimiter=separator)]
    cells = [cell.strip(' "') for row in lines for cell in row]
    assert not [cell for cell in cells if cell.startswith((*"=+-@", "\uff1d"))]


@pytest.fixture
def now(monkeypatch):
    """Return a list with the time that `events` reads."""
    now = [1_800_000_000.0]
    monkeypatch.setattr(events, "time", SimpleNamespace(time=lambda: now[0]))
    return now


@pytest.fixture
def low_limits(monkeypatch, now):
    """Limit refusals to three per hour for each subnet and reason, and to seven in total."""
    monkeypatch.setattr(events, "MAX_SUBNET_REFUSALS", 3)
    monkeypatch.setattr(events, "MAX_REFUSALS", 7)


def refuse(ip_address="192.0.2.1", reason="state_mismatch", times=1, **arguments):
    request = RequestFactory().get("/signin", REMOTE_ADDR=ip_address)
    for _ in range(times):
        events.record_event("refused", reason=reason, request=request, **arguments)


def stored(**fields):
    return SignInEvent.objects.filter(kind="refused", **fields).count()


def test_refusals_of_unknown_users_are_limited_per_subnet_and_reason(low_limits):
    refuse(times=10)
    assert stored() == 3
    refuse("192.0.2.2")
    refuse(reason="grant_rejected")
    assert stored(ip_address="192.0.2.2") == stored(reason="grant_rejected") == 1


def test_ipv6_network_is_one_subnet(low_limits):
    for number in range(10):
        refuse(f"2001:db8::{number:x}")
    assert stored() == 3


def test_refusals_of_unknown_users_are_limited_in_total(low_limits):
    for number in range(20):
        refuse(f"192.0.2.{number}", times=2)
    assert stored() == 7


def test_refusals_beyond_the_limit_of_a_subnet_do_not_count_in_total(low_limits):
    refuse(times=1000)
    for number in range(2, 6):
        refuse(f"192.0.2.{number}")
    assert stored() == 7


def test_omitted_refusals_are_recorded_once_for_each_limit(low_limits):
    refuse(times=3)
    assert not SignInEvent.objects.filter(kind=EventKind.REFUSALS_OMITTED).exists()
    refuse(times=10)
    event = SignInEvent.objects.get(kind=EventKind.REFUSALS_OMITTED)
    assert event.reason == "state_mismatch"
    assert "3 of this reason from 192.0.2.1" in event.details["why"]
    for number in range(2, 20):
        refuse(f"192.0.2.{number}")
    assert SignInEvent.objects.filter(kind=EventKind.REFUSALS_OMITTED).count() == 2
    assert SignInEvent.objects.count() == 9


def test_refusals_of_break_glass_count_only_in_total(low_limits):
    """The page has stricter limits of its own for each IP address."""
    refuse(times=5, reason="break_glass")
    assert (stored(), RateCounter.objects.count()) == (5, 0)
    for number in range(10):
        refuse(f"192.0.2.{number}", reason="break_glass")
    assert stored() == 7


def test_break_glass_allows_an_ip_address_no_more_refusals_than_the_audit_log_stores():
    per_hour = (break_glass.MAX_ATTEMPTS_PER_IP + 1) * 3600 / break_glass.WINDOW
    assert per_hour <= events.MAX_SUBNET_REFUSALS


def test_next_hour_stores_refusals_again(low_limits, now):
    refuse(times=5)
    now[0] += 3600
    refuse(times=5)
    assert stored() == 6


def test_refusals_without_a_request_are_limited_too(low_limits):
    for _ in range(10):
        events.record_event("refused", reason="unknown_user")
    assert stored() == 3


def test_omitted_refusal_is_logged_and_signalled(
    low_limits, received_signals, caplog, django_capture_on_commit_callbacks
):
    refuse(times=3)
    caplog.clear()
    with django_capture_on_commit_callbacks(execute=True):
        refuse(reference="00000009")
    assert "00000009" in caplog.text
    assert [arguments["reference"] for _, arguments in received_signals] == ["00000009"] * 2


def test_anonymous_refusals_displace_no_other_events(low_limits, user):
    refuse(times=10)
    before = SignInEvent.objects.count()
    events.record_event("erased", reason="operator")
    refuse(reason="break_glass")
    refuse(user=user)
    events.record_event("rights_changed", group="editors", added="permission add_stat")
    assert SignInEvent.objects.count() == before + 4


def test_refusal_of_a_known_user_names_the_user(cognito_client):
    ada = cognito_client("ada")
    user = ada.user
    user.is_active = False
    user.save()
    with pytest.raises(AssertionError, match=r"was not signed in: .* 403"):
        cognito_client("ada")
    event = SignInEvent.objects.get(kind="refused")
    assert (event.user, event.pool_username, event.reason) == (user, "ada", "user_deactivated")
    assert event.ip_address == "127.0.0.1"


def test_refusal_of_an_unknown_user_has_the_pool_username(cognito_client, settings):
    settings.COGNITO = {**settings.COGNITO, "CREATE_PEOPLE": False}
    with pytest.raises(AssertionError, match=r"was not signed in: .* 403"):
        cognito_client("ada")
    event = SignInEvent.objects.get(kind="refused")
    assert (event.user, event.pool_username, event.reason) == (None, "ada", "unknown_user")


def test_housekeeping_deletes_events_after_the_configured_time(settings, user):
    settings.COGNITO = {
        **settings.COGNITO,
        "LIMITS": {**settings.COGNITO["LIMITS"], "events": 7 * 86_400},
    }
    old, young = timezone.now() - timedelta(days=8), timezone.now() - timedelta(days=6)
    SignInEvent.objects.create(kind="signed_in", user=user, at=old, reference="old")
    SignInEvent.objects.create(kind="signed_in", user=user, at=young, reference="young")
    call_command("cognito_housekeeping", verbosity=0)
    assert [event.reference for event in SignInEvent.objects.all()] == ["young"]
