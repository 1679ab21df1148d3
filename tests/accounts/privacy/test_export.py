"""Everything held about a person is exported: no secret, and nobody else's."""

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
    said = StringIO()
    call_command("export_user", name, stdout=said)
    return json.loads(said.getvalue()), said.getvalue()


@pytest.fixture
def grace(cognito_client):
    return cognito_client("grace", groups=["editors"], email="grace@example.com").user


@pytest.fixture
def boss():
    return User.objects.create_superuser("boss")


def test_account_identity_and_sign_ins_come_without_secrets(grace):
    row = SignIn.objects.get(user=grace)
    content, said = export("grace@example.com")
    assert content["account"]["email"] == "grace@example.com"
    assert content["account"]["groups"] == ["editors"]
    rows = content["rows"]
    assert [each["username"] for each in rows["accounts.Identity (user)"]] == ["grace"]
    assert [each["ip_address"] for each in rows["accounts.SignIn (user)"]] == ["127.0.0.1"]
    for secret in (row.key, row.sealed_tokens, grace.password):
        assert secret not in said
    assert content["withheld"]["accounts.User"] == ["password"]
    assert "sealed_tokens" in content["withheld"]["accounts.SignIn"]
    assert SignInEvent.objects.filter(kind="exported", user=grace).exists()


def test_own_events_those_of_their_attempts_and_those_they_caused_are_in(grace, boss):
    reference = SignIn.objects.get(user=grace).reference
    events.record("refused", reference=reference, reason="user_deactivated")
    events.record("deactivated", user=boss, reason="admin", by=grace)
    events.record(
        "invited", user=boss, invited="grace", subject=Identity.objects.get(user=grace).subject
    )
    rows = export("grace")[0]["rows"]
    kinds = {each["kind"] for each in rows["accounts.SignInEvent"]}
    assert kinds == {"rights_changed", "signed_in", "refused"}
    assert [each["kind"] for each in rows["accounts.SignInEvent (by)"]] == ["deactivated"]
    assert [each["kind"] for each in rows["accounts.SignInEvent (invited)"]] == ["invited"]


def test_refusals_of_before_they_were_known_are_in_by_user_id(grace):
    subject = Identity.objects.get(user=grace).subject
    for reference, sub in (("00000001", subject), ("00000002", "the-earlier-sub")):
        events.record(
            "refused",
            reference=reference,
            pool_username="grace",
            reason="unknown_user",
            subject=sub,
        )
    rows = export("grace")[0]["rows"]
    found = {each["reference"] for each in rows["accounts.SignInEvent"]}
    assert found >= {"00000001"}
    assert "00000002" not in found


def test_nothing_of_an_earlier_holder_of_the_name_is_in(grace, boss):
    earlier = User.objects.create_user("person-earlier")
    events.record("signed_in", user=earlier, pool_username="grace", reference="0a0b0c0d")
    events.record("invited", user=boss, invited="grace", subject="the-earlier-sub")
    earlier.delete()  # by the site itself: the event stays, of nobody
    assert SignInEvent.objects.filter(user=None, pool_username="grace").exists()
    rows = export("grace")[0]["rows"]
    assert {each["user"] for each in rows["accounts.SignInEvent"]} == {grace.pk}
    assert "accounts.SignInEvent (invited)" not in rows
    call_command("forget_user", "grace", "--apply", stdout=StringIO())
    assert SignInEvent.objects.get(reference="0a0b0c0d").pool_username == "grace"
    assert SignInEvent.objects.get(kind="invited").details["invited"] == "grace"


def test_what_the_admin_noted_about_them_is_in(grace, boss):
    about = {"content_type": ContentType.objects.get_for_model(User), "action_flag": CHANGE}
    LogEntry.objects.create(user=boss, object_id=str(grace.pk), object_repr="Grace", **about)
    LogEntry.objects.create(user=boss, object_id=str(boss.pk), object_repr="Boss", **about)
    LogEntry.objects.create(user=grace, object_id="x", object_repr="Of hers", action_flag=CHANGE)
    rows = export("grace")[0]["rows"]
    assert [each["object_repr"] for each in rows["admin.LogEntry (about)"]] == ["Grace"]
    assert [each["object_repr"] for each in rows["admin.LogEntry (user)"]] == ["Of hers"]


def test_revocations_are_in(grace, cognito_client):
    identity, row = Identity.objects.get(user=grace), SignIn.objects.get(user=grace)
    sign_out.end_everything(cognito_client("linus").user, reason="everywhere")
    sign_out.end_everything(grace, reason="everywhere")
    sealed = ending.to_revoke("a refresh token", reference=row.reference).sealed_token
    content, said = export("grace")
    found = content["rows"]["accounts.Revocation"]
    assert {(each["kind"], each["token_id"], each["subject"]) for each in found} == {
        ("user", "", identity.subject),
        ("sign_in", row.origin_jti, ""),
    }
    assert Revocation.objects.count() > len(found)
    assert content["rows"]["accounts.PendingRevocation"]
    assert sealed not in said
    assert all(each.sealed_token not in said for each in PendingRevocation.objects.all())


def test_browser_sessions_are_in_without_their_keys_and_contents(cognito_client):
    grace, linus = cognito_client("grace"), cognito_client("linus")
    session = grace.session
    session["basket"] = ["not to be shown"]
    session.save()
    content, said = export("grace")
    [found] = content["rows"]["sessions"]
    assert set(found) == {"expires_at", "device", "ip_address", "signed_in_at"}
    assert found["ip_address"] == "127.0.0.1"
    assert found["expires_at"]
    assert "not to be shown" not in said
    for key in Session.objects.values_list("session_key", flat=True):
        assert key not in said
    assert linus.session.session_key


def test_rows_of_the_site_are_in_as_their_models_list_them(grace):
    profile = Profile.objects.create(user=grace, phone="030 1234", motto="Ever on")
    Pet.objects.create(profile=profile, name="Rex")
    Article.objects.create(author=grace, title="Of moths", hidden=True)
    ApiToken.objects.create(user=grace, key="0123-key", label="laptop")
    content, said = export("grace")
    rows, withheld = content["rows"], content["withheld"]
    assert rows["host.Profile (user)"] == [{"motto": "Ever on"}]
    assert rows["host.Pet"] == [{"name": "Rex"}]
    assert rows["host.Article (author)"] == [{"title": "Of moths"}]
    assert rows["host.ApiToken (user)"] == [{"user": grace.pk, "label": "laptop"}]
    assert withheld["host.Profile"] == ["id", "phone", "user"]
    assert withheld["host.ApiToken"] == ["key"]
    for secret in ("030 1234", "0123-key"):
        assert secret not in said


def test_rows_of_models_that_list_nothing_are_counted_only(grace):
    Device.objects.create(user=grace, key_ring="blue", unlock="4711")
    token = ApiToken.objects.create(user=grace, key="0123-key", label="laptop")
    ApiCall.objects.create(used=token, path="/called")
    Team.objects.create(name="Compilers").members.add(grace)
    Team.objects.create(name="Kernels")
    content, said = export("grace")
    assert content["counts"] == {
        "host.ApiCall": 1,
        "host.Device (user)": 1,
        "host.Team (members)": 1,
    }
    for value in ("blue", "4711", "0123-key", "/called", "Compilers"):
        assert value not in said


def test_other_users_are_counted_only(grace, boss, monkeypatch):
    """As where a host's user model has a manager, who is a user too."""
    boss.email = "boss@example.com"
    boss.save()
    found = {"accounts.User (manager)": User.objects.filter(pk=boss.pk)}
    monkeypatch.setattr("accounts.privacy.export._related", lambda user: found)
    content, said = export("grace")
    assert content["counts"] == {"accounts.User (manager)": 1}
    assert "boss@example.com" not in said
