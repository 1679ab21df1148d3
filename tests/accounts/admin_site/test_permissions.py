"""Every page and action of the admin: closed to anonymous, linus, grace and staff without rights,
open to ada. Both lists come from the admin site itself, so that nothing new is forgotten."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.admin_site.user_page import PersonPage
from accounts.models import Identity, PendingRevocation, SignIn, SignInEvent, User
from accounts.provider import user_pool
from stats import writing
from stats.models import Stat

pytestmark = pytest.mark.django_db
ISSUER = "http://localhost:1/local-1_TestPool1"

# What each is answered to GET: anonymous, linus, grace, staff without rights, ada.
USUAL = (302, 403, 403, 403, 200)
NOBODY_MAY = (302, 403, 403, 403, 403)  # written by no hand
UNUSUAL = {
    "break-glass/": (404, 404, 404, 404, 404),  # off
    "": (302, 403, 403, 200, 200),
    "login/": (302, 403, 403, 302, 302),
    "logout/": (302, 302, 302, 405, 405),
    "password_change/": (302, 403, 403, 404, 404),  # people of the pool have none here
    "password_change/done/": (302, 403, 403, 200, 200),
    "autocomplete/": NOBODY_MAY,  # no form has such a field
    "jsi18n/": (302, 403, 403, 200, 200),  # words of Django's scripts
    "r/<path:content_type_id>/<path:object_id>/": (302, 403, 403, 404, 404),  # no public pages
    "(?P<url>.*)$": (302, 403, 403, 404, 404),
    **{
        f"{model}/{page}": NOBODY_MAY
        for page in ("add/", "<path:object_id>/delete/")
        for model in (
            "accounts/identity",
            "accounts/pendingrevocation",
            "accounts/signin",
            "accounts/signinevent",
            "accounts/user",
        )
    },
}
UNUSUAL |= {
    "stats/stat/process_import/": (302, 403, 403, 405, 405),
    "stats/change/add/": NOBODY_MAY,
    "stats/change/<path:object_id>/delete/": NOBODY_MAY,
}
APP = (302, 403, 403, 404, 200)
REDIRECTS = (302, 403, 403, 302, 302)  # .../7/ to .../7/change/, which asks again


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
    SignInEvent.objects.create(kind="signed_in", user=user)
    PendingRevocation.objects.create(sealed_token="x", reference="7c1e09ab")
    return identity


@pytest.fixture(autouse=True)
def figure():
    """What the example application adds to it."""
    figure = Stat(kpi="Revenue", year=2020, month=3, value=Decimal(1))
    writing.save(figure, writing.Author(None, "admin"))


@pytest.fixture
def powerless(client):
    """Staff without any right."""
    client.force_login(User.objects.create_user("powerless", is_staff=True))
    return client


@pytest.fixture
def ada(cognito_client):
    return cognito_client("ada", groups=["admins"])


@pytest.fixture
def outsiders(cognito_client):
    """Nobody, and people who are no staff."""
    return (Client(), cognito_client("linus"), cognito_client("grace", groups=["editors"]))


def patterns(found, before=""):
    for each in found:
        if nested := getattr(each, "url_patterns", None):
            yield from patterns(nested, before + str(each.pattern))
        else:
            yield before + str(each.pattern)


def row_of(pattern):
    """A row of the model that the pattern's first two parts name."""
    [model] = [
        model
        for model in admin.site._registry
        if pattern.startswith(f"{model._meta.app_label}/{model._meta.model_name}/")
    ]
    return model._default_manager.order_by("pk").first()


def addresses():
    """Each pattern of the admin and an address that fits it, with rows that exist."""
    for pattern in patterns(admin.site.get_urls()):
        address = pattern.removeprefix("^").removesuffix("$")
        if "content_type_id" in address:
            kind, person = ContentType.objects.get_for_model(User), User.objects.first()
            address = f"r/{kind.pk}/{person.pk}/"
        elif "<path:object_id>" in address:
            address = address.replace("<path:object_id>", str(row_of(pattern).pk))
        address = re.sub(r"\(\?P<app_label>(\w+)[^)]*\)", r"\1", address)
        address = address.replace("(?P<url>.*)", "no-such-page/")
        assert re.fullmatch(r"[\w/-]*", address), f"Teach this test what fits {pattern}."
        yield pattern, f"/admin/{address}"


def expected(pattern):
    usual = REDIRECTS if pattern.endswith("/<path:object_id>/") else USUAL
    usual = APP if "(?P<app_label>" in pattern else usual
    return UNUSUAL.get(pattern, usual)


def actions():
    """Every action that a superuser is offered: its model and name."""
    request = RequestFactory().get("/")
    request.user = User(is_active=True, is_superuser=True)
    for model, model_admin in admin.site._registry.items():
        for name in model_admin.get_actions(request):
            yield pytest.param(model, name, id=f"{model._meta.model_name}-{name}")


MEANT = {User: {"username": "person-target"}, Group: {"name": "a group"}}  # not the first


def act(client, model, name, **more):
    row = model._default_manager.filter(**MEANT.get(model, {})).order_by("pk").first()
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    form = {"action": name, "_selected_action": [row.pk], **more}
    return client.post(address, form, follow=True)


def state():
    """What no outsider may change."""
    user = User.objects.get(username="person-target")
    rows = [model._default_manager.count() for model in admin.site._registry]
    return user.is_active, SignIn.objects.live().filter(user=user).count(), rows


def test_every_page_is_there_for_ada_and_for_nobody_else(target, outsiders, powerless, ada):
    everybody = (*outsiders, powerless, ada)
    pages = list(addresses())
    assert len(pages) > 40
    assert {pattern for pattern, _ in pages} >= UNUSUAL.keys()
    answers = {
        pattern: tuple(each.get(address).status_code for each in everybody)
        for pattern, address in pages
    }
    assert answers == {pattern: expected(pattern) for pattern, _ in pages}


def test_nobody_is_led_to_the_sign_in_and_back(target, client):
    for pattern, address in addresses():
        if expected(pattern)[0] == 302 and pattern not in ("login/", "logout/"):
            answer = client.get(address)
            assert answer["Location"].startswith("/accounts/login/?next=%2Fadmin%2F"), address


def test_no_page_takes_anything_from_outsiders(target, outsiders, powerless):
    form = {"post": "yes", "confirmed": "yes", "email": "a@example.com", "username": "x"}
    before = state()
    for pattern, address in addresses():
        if pattern in ("logout/", "password_change/"):
            continue  # closing one's own session is everybody's; test_break_glass has passwords
        for client, shown in zip((*outsiders, powerless), expected(pattern), strict=False):
            answer = client.post(address, form)
            refused = answer.status_code in (302, 403, 404, 405)
            assert refused or shown == 200, (address, answer.status_code)
    assert state() == before


@pytest.mark.parametrize(("model", "name"), list(actions()))
def test_action_is_closed_to_outsiders(target, outsiders, powerless, model, name):
    before = state()
    for client in (*outsiders, powerless):
        for confirmed in ({}, {"confirmed": "yes"}, {"post": "yes"}):
            last = act(client, model, name, **confirmed)
            assert last.status_code in (403, 404), name  # 404: the hosted UI, which isn't running
    assert state() == before


# What an action has done when it was let through: an action without a line here fails its test.
DONE = {
    "sign_out_everywhere": lambda answer: not SignIn.objects.live().filter(subject="t").exists(),
    "deactivate": lambda answer: not User.objects.get(username="person-target").is_active,
    "activate": lambda answer: User.objects.get(username="person-target").is_active,
    "reconcile": lambda answer: not User.objects.get(username="person-target").is_active,
    "end_sign_ins": lambda answer: not SignIn.objects.live().filter(subject="t").exists(),
    "export_csv": lambda answer: answer.getvalue().startswith(b"\xef\xbb\xbfat,kind,reason"),
    "delete_selected": lambda answer: not Group.objects.filter(name="a group").exists(),
}
DONE["delete_figures"] = lambda answer: not Stat.objects.exists()


@pytest.mark.parametrize(("model", "name"), list(actions()))
def test_action_works_for_ada(target, ada, monkeypatch, model, name):
    monkeypatch.setattr(user_pool, "find", lambda subject: None)  # gone from the pool
    if name == "activate":
        User.objects.filter(username="person-target").update(is_active=False)
    answer = act(ada, model, name)
    assert answer.status_code == 200
    if name in ("reconcile", "delete_figures", "delete_selected"):
        assert not DONE[name](answer), "it asks first"
        answer = act(ada, model, name, confirmed="yes", post="yes")
    assert DONE[name](answer)


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
    for model, name in (parameter.values for parameter in actions()):
        act(onlooker, model, name, confirmed="yes", post="yes")
    assert state() == before
    assert onlooker.get(reverse("admin:accounts_invitations")).status_code == 403
    assert onlooker.post(person, {"is_superuser": "on"}).status_code == 403


@pytest.mark.parametrize(
    ("page", "secret"),
    [
        ("signin", "key"),
        ("signin", "sealed_tokens"),
        ("pendingrevocation", "sealed_token"),
    ],
)
def test_no_filter_tells_what_no_page_shows(target, onlooker, page, secret):
    address = reverse(f"admin:accounts_{page}_changelist")
    assert onlooker.get(address, {"reference__startswith": "7"}).status_code == 200
    for lookup in ("", "__startswith", "__regex"):
        assert onlooker.get(address, {f"{secret}{lookup}": "a"}).status_code == 400


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


def test_staff_who_manage_people_are_told_which_sign_ins_stay(helper, target):
    User.objects.filter(pk=target.user_id).update(is_superuser=True)
    rows = SignIn.objects.filter(user=target.user_id)
    form = {"action": "end_sign_ins", "_selected_action": [row.pk for row in rows]}
    page = helper.post(reverse("admin:accounts_signin_changelist"), form, follow=True)
    assert "Only a superuser does this to a superuser" in page.text
    assert "Sign-ins ended: 0." in page.text
    assert rows.live().exists()


class AdminOfAHost(PersonPage, UserAdmin):
    """As docs/adopt.md puts it before what a project has: with Django's own deleting."""


def test_where_people_can_be_deleted_no_superuser_and_nobody_themselves_is(helper, target):
    model_admin = AdminOfAHost(User, admin.site)
    request = RequestFactory().get("/")
    request.user = helper_user = User.objects.get(username="helper")
    assert not model_admin.has_delete_permission(request, target.user)
    helper_user.user_permissions.add(Permission.objects.get(codename="delete_user"))
    request.user = User.objects.get(username="helper")
    assert model_admin.has_delete_permission(request)
    assert model_admin.has_delete_permission(request, target.user)
    assert not model_admin.has_delete_permission(request, request.user)
    assert not model_admin.has_delete_permission(request, User(is_superuser=True))
    request.user = User(pk=0, is_active=True, is_superuser=True)
    assert model_admin.has_delete_permission(request, User(is_superuser=True))
    assert not model_admin.has_delete_permission(request, request.user)
