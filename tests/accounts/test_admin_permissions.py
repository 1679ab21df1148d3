"""Every page and action of the admin: closed to anonymous, linus and grace, open to ada."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import RequestFactory
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from accounts.models import Identity, PendingRevocation, SignIn, SignInEvent, User
from stats import writing
from stats.models import Stat

pytestmark = pytest.mark.django_db
ISSUER = "http://localhost:1/local-1_TestPool1"
PAGES = ("changelist", "add", "change", "delete", "history", "import", "export")
PEOPLE = {"linus": [], "grace": ["editors"]}


@pytest.fixture
def target():
    """Somebody with a row of everything."""
    user = User.objects.create_user("person-target")
    Group.objects.create(name="a group")
    identity = Identity.objects.create(user=user, issuer=ISSUER, subject="t", username="target")
    later = timezone.now() + timedelta(hours=1)
    SignIn.objects.create(
        user=user, issuer=ISSUER, subject="t", access_expires_at=later, renew_at=later
    )
    SignInEvent.objects.create(kind="signed in", user=user)
    PendingRevocation.objects.create(sealed_token="x", reference="7c1e09ab")
    writing.save(
        Stat(kpi="Revenue", year=2020, month=3, value=Decimal(1)), writing.Author(user, "admin")
    )
    return identity


def addresses():
    """Every address of the admin that stands for a page, with rows that exist."""
    found = [reverse("admin:index"), reverse("admin:accounts_invitations")]
    found.append(reverse("admin:app_list", args=["accounts"]))
    for model in admin.site._registry:
        row = model._default_manager.order_by("pk").first()
        for page in PAGES:
            for args in ([], [row.pk]):
                name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
                try:
                    found.append(reverse(name, args=args))
                except NoReverseMatch:
                    continue
    return found


def actions(user):
    """Every action that a superuser is offered: address of its list, name, a row."""
    request = RequestFactory().get("/")
    request.user = user
    for model, model_admin in admin.site._registry.items():
        row = model._default_manager.order_by("pk").first()
        for name in model_admin.get_actions(request):
            yield (
                reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"),
                name,
                row,
            )


def state():
    user = User.objects.get(username="person-target")
    return user.is_active, SignIn.objects.live().filter(user=user).count(), Stat.objects.count()


def test_every_page_is_there_for_ada_and_for_nobody_else(target, client, cognito_client):
    ada = cognito_client("ada", groups=["admins"])
    others = {name: cognito_client(name, groups=groups) for name, groups in PEOPLE.items()}
    pages = addresses()
    assert len(pages) > 30
    for address in pages:
        answer = client.get(address)
        assert answer.status_code == 302, address
        assert answer["Location"].startswith("/accounts/login/?next=%2Fadmin%2F"), address
        for name, other in others.items():
            assert other.get(address).status_code == 403, (name, address)
        # 403 also for her: what nobody may do by hand, such as adding an event.
        assert ada.get(address).status_code in (200, 403), address
    read = [address for address in pages if not address.endswith(("/add/", "/delete/"))]
    refused = [address for address in read if ada.get(address).status_code != 200]
    assert refused == []


def test_every_action_is_closed_to_all_but_ada(target, client, cognito_client):
    ada = cognito_client("ada", groups=["admins"])
    others = [cognito_client(name, groups=groups) for name, groups in PEOPLE.items()]
    found = list(actions(ada.user))
    names = {name for _, name, _ in found}
    assert names >= {
        "sign_out_everywhere",
        "deactivate",
        "activate",
        "reconcile",
        "end_sign_ins",
        "export_csv",
        "delete_figures",
    }
    before = state()
    for address, name, row in found:
        form = {"action": name, "_selected_action": [row.pk], "confirmed": "yes"}
        assert client.post(address, form).status_code == 302
        assert [other.post(address, form).status_code for other in others] == [403, 403]
    assert state() == before


@pytest.fixture
def onlooker(client):
    """Staff who may look at everything and change nothing."""
    user = User.objects.create_user("onlooker", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    return client


def test_staff_who_may_only_look_see_pages_and_change_nothing(target, onlooker):
    before = state()
    person = reverse("admin:accounts_user_change", args=[target.user_id])
    page = onlooker.get(person)
    assert page.status_code == 200
    assert "Sign out everywhere" not in page.text
    for address, name, row in actions(User.objects.create_superuser("boss")):
        if name != "export_csv":
            onlooker.post(address, {"action": name, "_selected_action": [row.pk], "confirmed": "1"})
    assert state() == before
    assert onlooker.get(reverse("admin:accounts_invitations")).status_code == 403
    assert onlooker.post(person, {"is_superuser": "on"}).status_code == 403


@pytest.fixture
def helper(client):
    """Staff who manage people and are no superusers."""
    user = User.objects.create_user("helper", is_staff=True)
    wanted = ("view_user", "change_user", "view_signin")
    user.user_permissions.set(Permission.objects.filter(codename__in=wanted))
    client.force_login(user)
    return client


def test_staff_who_manage_people_give_themselves_no_rights(helper):
    user = User.objects.get(username="helper")
    Group.objects.create(name="managers")
    address = reverse("admin:accounts_user_change", args=[user.pk])
    form = {"username": "helper", "is_active": "on", "is_superuser": "on", "groups": "1"}
    assert helper.post(address, form).status_code == 302
    user.refresh_from_db()
    assert not user.is_superuser
    assert not user.groups.exists()


@pytest.mark.parametrize("action", ["deactivate", "sign_out_everywhere"])
def test_staff_who_manage_people_do_nothing_to_a_superuser(helper, target, action):
    User.objects.filter(pk=target.user_id).update(is_superuser=True)
    before = state()
    address = reverse("admin:accounts_user_changelist")
    page = helper.post(
        address, {"action": action, "_selected_action": [target.user_id]}, follow=True
    )
    assert "Only a superuser does this to a superuser" in page.text
    assert state() == before
    change = reverse("admin:accounts_user_change", args=[target.user_id])
    assert helper.post(change, {"username": "person-target"}).status_code == 403
