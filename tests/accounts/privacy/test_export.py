"""The export of everything stored about a user, without secrets and other users."""

import json
from io import StringIO

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.management import call_command

from accounts.audit import events
from accounts.models import Identity, PendingRevocation, Revocation, SignIn, SignInEvent, User
from accounts.sessions import ending, sign_out
from tests.host.models import ApiCall, ApiToken, Article, Device, Pet, Profile, Team

pytestmark = pytest.mark.django_db


def export(name):
    text = StringIO()
    call_command("cognito_export_user", name, stdout=text)
    return json.loads(text.getvalue()), text.getvalue()


@pytest.fixture
def grace(cognito_client):
    return cognito_client("grace", groups=["editors"], email="grace@example.com").user


@pytest.fixture
def boss():
    return User.objects.create_superuser("boss")


def test_user_identity_and_sign_ins_are_exported_without_secrets(grace):
    sign_in = SignIn.objects.get(user=grace)
    content, text = export("grace@example.com")
    assert content["account"]["email"] == "grace@example.com"
    assert content["account"]["groups"] == ["editors"]
    objects = content["rows"]
    assert [item["username"] for item in objects["accounts.Identity (user)"]] == ["grace"]
    assert [item["ip_address"] for item in objects["accounts.SignIn (user)"]] == ["127.0.0.1"]
    for secret in (sign_in.key, sign_in.sealed_tokens, grace.password):
        assert secret not in text
    assert content["withheld"]["accounts.User"] == ["password"]
    assert "sealed_tokens" in content["withheld"]["accounts.SignIn"]
    assert SignInEvent.objects.filter(kind="exported", user=grace).exists()


def test_export_contains_events_about_the_user_and_by_the_user(grace, boss):
    reference = SignIn.objects.get(user=grace).reference
    events.record_event("refused", reference=reference, reason="user_deactivated")
    events.record_event("deactivated", user=boss, reason="admin", by=grace)
    events.record_event(
        "invited", user=boss, invited="grace", subject=Identity.objects.get(user=grace).subject
    )
    objects = export("grace")[0]["rows"]
    kinds = {item["kind"] for item in objects["accounts.SignInEvent"]}
    assert kinds == {"rights_changed", "signed_in", "refused"}
    assert [item["kind"] for item in objects["accounts.SignInEvent (by)"]] == ["deactivated"]
    assert [item["kind"] for item in objects["accounts.SignInEvent (invited)"]] == ["invited"]


def test_export_contains_earlier_refusals_of_the_same_user_id(grace):
    subject = Identity.objects.get(user=grace).subject
    for reference, sub in (("00000001", subject), ("00000002", "the-earlier-sub")):
        events.record_event(
            "refused",
            reference=reference,
            pool_username="grace",
            reason="unknown_user",
            subject=sub,
        )
    objects = export("grace")[0]["rows"]
    values = {item["reference"] for item in objects["accounts.SignInEvent"]}
    assert values >= {"00000001"}
    assert "00000002" not in values


def test_export_contains_nothing_of_an_earlier_user_with_this_name(grace, boss):
    earlier = User.objects.create_user("user-earlier")
    events.record_event("signed_in", user=earlier, pool_username="grace", reference="0a0b0c0d")
    events.record_event("invited", user=boss, invited="grace", subject="the-earlier-sub")
    earlier.delete()  # the event stays, without a user
    assert SignInEvent.objects.filter(user=None, pool_username="grace").exists()
    objects = export("grace")[0]["rows"]
    assert {item["user"] for item in objects["accounts.SignInEvent"]} == {grace.pk}
    assert "accounts.SignInEvent (invited)" not in objects
    call_command("cognito_erase_user", "grace", "--apply", stdout=StringIO())
    assert SignInEvent.objects.get(reference="0a0b0c0d").pool_username == "grace"
    assert SignInEvent.objects.get(kind="invited").details["invited"] == "grace"


def test_export_contains_admin_log_entries_about_the_user(grace, boss):
    about = {"content_type": ContentType.objects.get_for_model(User), "action_flag": CHANGE}
    LogEntry.objects.create(user=boss, object_id=str(grace.pk), object_repr="Grace", **about)
    LogEntry.objects.create(user=boss, object_id=str(boss.pk), object_repr="Boss", **about)
    LogEntry.objects.create(user=grace, object_id="x", object_repr="Of hers", action_flag=CHANGE)
    objects = export("grace")[0]["rows"]
    assert [item["object_repr"] for item in objects["admin.LogEntry (about)"]] == ["Grace"]
    assert [item["object_repr"] for item in objects["admin.LogEntry (user)"]] == ["Of hers"]


def test_export_contains_revocations(grace, cognito_client):
    identity, sign_in = Identity.objects.get(user=grace), SignIn.objects.get(user=grace)
    sign_out.end_all_sign_ins(cognito_client("linus").user, reason="everywhere")
    sign_out.end_all_sign_ins(grace, reason="everywhere")
    sealed = ending.queue_revocation("a refresh token", reference=sign_in.reference).sealed_token
    content, text = export("grace")
    values = content["rows"]["accounts.Revocation"]
    assert {(item["kind"], item["token_id"], item["subject"]) for item in values} == {
        ("user", "", identity.subject),
        ("sign_in", sign_in.origin_jti, ""),
    }
    assert Revocation.objects.count() > len(values)
    assert content["rows"]["accounts.PendingRevocation"]
    assert sealed not in text
    assert all(item.sealed_token not in text for item in PendingRevocation.objects.all())


def test_export_contains_browser_sessions_without_keys_and_contents(cognito_client):
    grace, linus = cognito_client("grace"), cognito_client("linus")
    session = grace.session
    session["basket"] = ["not to be shown"]
    session.save()
    content, text = export("grace")
    [values] = content["rows"]["sessions"]
    assert set(values) == {"expires_at", "device", "ip_address", "signed_in_at"}
    assert values["ip_address"] == "127.0.0.1"
    assert values["expires_at"]
    assert "not to be shown" not in text
    for key in Session.objects.values_list("session_key", flat=True):
        assert key not in text
    assert linus.session.session_key


def test_export_contains_the_listed_fields_of_the_sites_models(grace):
    profile = Profile.objects.create(user=grace, phone="030 1234", motto="Ever on")
    Pet.objects.create(profile=profile, name="Rex")
    Article.objects.create(author=grace, title="Of moths", hidden=True)
    ApiToken.objects.create(user=grace, key="0123-key", label="laptop")
    content, text = export("grace")
    objects, withheld = content["rows"], content["withheld"]
    assert objects["host.Profile (user)"] == [{"motto": "Ever on"}]
    assert objects["host.Pet"] == [{"name": "Rex"}]
    assert objects["host.Article (author)"] == [{"title": "Of moths"}]
    assert objects["host.ApiToken (user)"] == [{"user": grace.pk, "label": "laptop"}]
    assert withheld["host.Profile"] == ["id", "phone", "user"]
    assert withheld["host.ApiToken"] == ["key"]
    for secret in ("030 1234", "0123-key"):
        assert secret not in text


def test_objects_of_models_that_list_no_fields_are_only_counted(grace):
    Device.objects.create(user=grace, key_ring="blue", unlock="4711")
    token = ApiToken.objects.create(user=grace, key="0123-key", label="laptop")
    ApiCall.objects.create(used=token, path="/called")
    Team.objects.create(name="Compilers").members.add(grace)
    Team.objects.create(name="Kernels")
    content, text = export("grace")
    assert content["counts"] == {
        "host.ApiCall": 1,
        "host.Device (user)": 1,
        "host.Team (members)": 1,
    }
    for value in ("blue", "4711", "0123-key", "/called", "Compilers"):
        assert value not in text


def test_other_users_are_only_counted(grace, boss, monkeypatch):
    """An example is a host's user model with a manager, who is a user too."""
    boss.email = "boss@example.com"
    boss.save()
    values = {"accounts.User (manager)": User.objects.filter(pk=boss.pk)}
    monkeypatch.setattr("accounts.privacy.export._related", lambda user: values)
    content, text = export("grace")
    assert content["counts"] == {"accounts.User (manager)": 1}
    assert "boss@example.com" not in text
