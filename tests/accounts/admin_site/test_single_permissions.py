"""Staff with a single permission: the admin does not show them data of other models."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from accounts.admin_site.dashboard import dashboard
from accounts.models import Identity, PendingRevocation, SignIn, SignInEvent, User
from accounts.provider import user_pool
from stats import writing
from stats.models import Change, Stat
from tests.accounts.admin_site.test_permissions import page_urls

pytestmark = pytest.mark.django_db

ISSUER = "http://localhost:1/local-1_TestPool1"
# Texts that only instances of the model contain. The username is not one: other models show it.
MARKS = {
    Identity: ("ident-name", "ident@example.com", "ident-subject"),
    SignIn: ("203.0.113.77", "5151aaaa"),
    SignInEvent: ("198.51.100.66", "6262bbbb", "event-username"),
    PendingRevocation: ("7373cccc",),
    Group: ("group-name",),
    Stat: ("stat-name",),
    Change: ("change-before",),
}


@pytest.fixture(autouse=True)
def user():
    """A user with instances of every model."""
    # Without a name, the pool username of the identity would name the user everywhere.
    user = User.objects.create_user("target-user", first_name="target-user")
    Identity.objects.create(
        user=user,
        issuer=ISSUER,
        subject="ident-subject",
        username="ident-name",
        email="ident@example.com",
        groups=["pool-group"],
    )
    later = timezone.now() + timedelta(hours=1)
    SignIn.objects.create(
        user=user,
        issuer=ISSUER,
        subject="s",
        reference="5151aaaa",
        ip_address="203.0.113.77",
        access_expires_at=later,
        renew_at=later,
    )
    event = {
        "reference": "6262bbbb",
        "ip_address": "198.51.100.66",
        "pool_username": "event-username",
    }
    SignInEvent.objects.create(kind="signed_in", user=user, **event)
    SignInEvent.objects.create(kind="refused", user=user, **event)
    PendingRevocation.objects.create(sealed_token="x", reference="7373cccc")
    Group.objects.create(name="group-name")
    writing.save(
        Stat(kpi="stat-name", year=2020, month=3, value=Decimal(1)), writing.Author(None, "admin")
    )
    Change.objects.update(before="change-before", after="")
    return user


@pytest.fixture
def staff_with(client):
    """A function that signs in a staff user with only these permissions."""

    def sign_in(*codenames):
        staff = User.objects.create_user("staff", is_staff=True)
        permissions = Permission.objects.filter(codename__in=codenames)
        assert len(permissions) == len(codenames)
        staff.user_permissions.set(permissions)
        client.force_login(staff)
        return client

    return sign_in


def shown_models(text):
    return {model for model, marks in MARKS.items() if any(mark in text for mark in marks)}


@pytest.mark.parametrize("actions", [("view",), ("add", "change", "delete")])
@pytest.mark.parametrize("model", admin.site._registry)
def test_single_permission_shows_only_its_model(staff_with, model, actions):
    staff = staff_with(*(f"{action}_{model._meta.model_name}" for action in actions))
    models_by_page = {}
    for pattern, url in page_urls():
        if pattern in ("logout/", "login/"):
            continue
        response = staff.get(url)
        if response.status_code == 200 and not response.streaming:
            models_by_page[pattern] = shown_models(response.text)
    assert {other for models in models_by_page.values() for other in models} <= {model}
    if model in MARKS:
        label = f"{model._meta.app_label}/{model._meta.model_name}"
        assert models_by_page[f"{label}/"] == {model}


@pytest.mark.parametrize("model", MARKS)
def test_single_permission_shows_its_part_of_the_index_page(staff_with, model):
    staff = staff_with(f"view_{model._meta.model_name}")
    page = staff.get("/admin/")
    tiles = {
        SignIn: ["users signed in", "sessions"],
        SignInEvent: ["refused in 24 hours", "changes of rights in 7 days"],
        PendingRevocation: ["refresh tokens to revoke"],
    }
    overview = dashboard(page.wsgi_request)
    if model in tiles:
        assert [tile.name for tile in overview.tiles] == tiles[model]
        assert bool(overview.facts) == (model is SignInEvent)
        assert ("Who can't sign in" in page.text) == (model is SignInEvent)
        assert ("Who is signed in" in page.text) == (model is SignIn)
        assert "Who may do what" not in page.text
    else:
        assert overview is None


@pytest.mark.parametrize("model", [Identity, SignIn, SignInEvent])
def test_user_page_has_a_section_for_each_permission(staff_with, user, model):
    staff = staff_with("view_user", f"view_{model._meta.model_name}")
    page = staff.get(reverse("admin:accounts_user_change", args=[user.pk])).text
    assert shown_models(page) == {model}
    titles = {Identity: "Identities", SignIn: "Current sessions", SignInEvent: "Recent events"}
    assert [other for other, title in titles.items() if f">{title}</h2>" in page] == [model]


def test_sources_of_rights_require_the_permission_for_identities(staff_with, user, settings):
    settings.COGNITO = {**settings.COGNITO, "GROUPS": {"pool-group": "editors"}}
    user.groups.add(Group.objects.get(name="editors"))
    url = reverse("admin:accounts_user_change", args=[user.pk])
    page = staff_with("view_user").get(url).text
    assert "<td>Group editors</td><td>-</td>" in page
    User.objects.get(username="staff").delete()
    page = staff_with("view_user", "view_identity").get(url).text
    assert "<td>Group editors</td><td>pool-group of the pool</td>" in page


@pytest.mark.parametrize(
    ("codename", "page", "query"),
    [
        ("view_user", "user", "ident-name"),
        ("view_user", "user", "ident@example.com"),
        ("view_user", "user", "ident-subject"),
        ("view_signin", "signin", "ident@example.com"),
        ("view_signinevent", "signinevent", "ident@example.com"),
    ],
)
def test_search_ignores_models_without_permission(staff_with, codename, page, query):
    url = reverse(f"admin:accounts_{page}_changelist")
    response = staff_with(codename).get(url, {"q": query})
    assert response.context["cl"].result_count == 0
    User.objects.get(username="staff").delete()
    response = staff_with(codename, "view_identity").get(url, {"q": query})
    assert response.context["cl"].result_count > 0


@pytest.mark.parametrize(
    "query",
    [
        {"identities__isnull": "0"},
        {"identities__pool_id": "local-1_TestPool1"},
        {"sign_ins__isnull": "0"},
        {"sign_in_events__isnull": "0"},
    ],
    ids=str,
)
def test_filter_by_a_model_without_permission_is_refused(staff_with, query):
    url = reverse("admin:accounts_user_changelist")
    assert staff_with("view_user").get(url, query).status_code == 400
    User.objects.get(username="staff").delete()
    codenames = ("view_user", "view_identity", "view_signin", "view_signinevent")
    assert staff_with(*codenames).get(url, query).status_code == 200


@pytest.mark.parametrize("query", ["user__isempty=1", "user__pk__exact={}", "user__id__exact={}"])
def test_events_can_be_filtered_by_their_own_columns(staff_with, user, query):
    url = reverse("admin:accounts_signinevent_changelist")
    staff = staff_with("view_signinevent")
    assert staff.get(f"{url}?{query.format(user.pk)}").status_code == 200


def test_messages_of_actions_show_only_models_with_permission(staff_with, user, monkeypatch):
    monkeypatch.setattr(user_pool, "get_user", lambda subject: None)  # deleted in the pool
    monkeypatch.setattr(user_pool, "unavailable_reason", lambda: "")
    staff = staff_with("change_user")
    url = reverse("admin:accounts_user_changelist")
    for name in ("sign_out_everywhere", "reconcile"):
        for confirmation in ({}, {"confirmed": "yes"}):
            form = {"action": name, "_selected_action": [user.pk], **confirmation}
            page = staff.post(url, form, follow=True).text
            assert shown_models(page) == set()
            assert "Sessions ended" not in page
    assert not User.objects.get(pk=user.pk).is_active


def test_reconciliation_names_no_pool_user_without_the_permission(staff_with, user, monkeypatch):
    monkeypatch.setattr(user_pool, "get_user", lambda subject: None)  # deleted in the pool
    monkeypatch.setattr(user_pool, "unavailable_reason", lambda: "")
    User.objects.filter(pk=user.pk).update(first_name="")
    staff = staff_with("change_user")
    url = reverse("admin:accounts_user_changelist")
    form = {"action": "reconcile", "_selected_action": [user.pk]}
    preview = staff.post(url, form).text
    assert "target-user" in preview
    assert "ident-name" not in preview
    response = staff.post(url, {**form, "confirmed": "yes"})
    (message,) = get_messages(response.wsgi_request)
    assert str(message).startswith("target-user was deactivated.")
