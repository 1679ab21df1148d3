"""Every page and action of the admin: open to ada, closed to all users without the rights.

The lists come from the admin site itself, so that they include every new page and action.
"""

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

from accounts.admin_site.user_page import UserPage
from accounts.models import Identity, PendingRevocation, SignIn, SignInEvent, User
from accounts.provider import user_pool
from stats import writing
from stats.models import Stat

pytestmark = pytest.mark.django_db
ISSUER = "http://localhost:1/local-1_TestPool1"

# The statuses of a GET by: an anonymous client, linus, grace, staff without rights, ada.
DEFAULT = (302, 403, 403, 403, 200)
READ_ONLY = (302, 403, 403, 403, 403)
EXCEPTIONS = {
    "break-glass/": (404, 404, 404, 404, 404),  # off
    "": (302, 403, 403, 200, 200),
    "login/": (302, 403, 403, 302, 302),
    "logout/": (302, 302, 302, 200, 200),
    "password_change/": (302, 403, 403, 404, 404),  # pool users have no password here
    "password_change/done/": (302, 403, 403, 200, 200),
    "autocomplete/": READ_ONLY,  # no form has such a field
    "jsi18n/": (302, 403, 403, 200, 200),  # translations for Django's scripts
    "r/<path:content_type_id>/<path:object_id>/": (302, 403, 403, 404, 404),  # no public pages
    "(?P<url>.*)$": (302, 403, 403, 404, 404),
    **{
        f"{model}/{page}": READ_ONLY
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
EXCEPTIONS |= {
    "stats/stat/process_import/": (302, 403, 403, 405, 405),
    "stats/change/add/": READ_ONLY,
    "stats/change/<path:object_id>/delete/": READ_ONLY,
}
APP = (302, 403, 403, 404, 200)
REDIRECTS = (302, 403, 403, 302, 302)  # from .../7/ to .../7/change/, which checks the rights


@pytest.fixture
def target():
    """The identity of a user with instances of every model."""
    user = User.objects.create_user("target-user")
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
    """A figure of the example application."""
    figure = Stat(kpi="Revenue", year=2020, month=3, value=Decimal(1))
    writing.save(figure, writing.Author(None, "admin"))


@pytest.fixture
def staff_without_rights(client):
    """A client of a staff user without any permission."""
    client.force_login(User.objects.create_user("powerless", is_staff=True))
    return client


@pytest.fixture
def ada(cognito_client):
    return cognito_client("ada", groups=["admins"])


@pytest.fixture
def outsiders(cognito_client):
    """Clients that are anonymous or not staff."""
    return (Client(), cognito_client("linus"), cognito_client("grace", groups=["editors"]))


def patterns(urls, prefix=""):
    for url in urls:
        if children := getattr(url, "url_patterns", None):
            yield from patterns(children, prefix + str(url.pattern))
        else:
            yield prefix + str(url.pattern)


def instance_of(pattern):
    """Return an instance of the model that the first two parts of the pattern name."""
    [model] = [
        model
        for model in admin.site._registry
        if pattern.startswith(f"{model._meta.app_label}/{model._meta.model_name}/")
    ]
    return model._default_manager.order_by("pk").first()


def page_urls():
    """Yield each pattern of the admin, and a URL that matches it, with instances that exist."""
    for pattern in patterns(admin.site.get_urls()):
        path = pattern.removeprefix("^").removesuffix("$")
        if "content_type_id" in path:
            content_type, user = ContentType.objects.get_for_model(User), User.objects.first()
            path = f"r/{content_type.pk}/{user.pk}/"
        elif "<path:object_id>" in path:
            path = path.replace("<path:object_id>", str(instance_of(pattern).pk))
        path = re.sub(r"\(\?P<app_label>(\w+)[^)]*\)", r"\1", path)
        path = path.replace("(?P<url>.*)", "no-such-page/")
        assert re.fullmatch(r"[\w/-]*", path), f"Add a value for the parameters of {pattern}."
        yield pattern, f"/admin/{path}"


def expected_statuses(pattern):
    default = REDIRECTS if pattern.endswith("/<path:object_id>/") else DEFAULT
    default = APP if "(?P<app_label>" in pattern else default
    return EXCEPTIONS.get(pattern, default)


def actions():
    """Yield the model and the name of every action of a superuser."""
    request = RequestFactory().get("/")
    request.user = User(is_active=True, is_superuser=True)
    for model, model_admin in admin.site._registry.items():
        for name in model_admin.get_actions(request):
            yield pytest.param(model, name, id=f"{model._meta.model_name}-{name}")


SELECTION = {User: {"username": "target-user"}, Group: {"name": "a group"}}  # else the first


def act(client, model, name, **data):
    instance = model._default_manager.filter(**SELECTION.get(model, {})).order_by("pk").first()
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    form = {"action": name, "_selected_action": [instance.pk], **data}
    return client.post(url, form, follow=True)


def state():
    """Return the data that an outsider must not change."""
    user = User.objects.get(username="target-user")
    counts = [model._default_manager.count() for model in admin.site._registry]
    return user.is_active, SignIn.objects.live().filter(user=user).count(), counts


def test_every_page_is_open_only_with_rights(target, outsiders, staff_without_rights, ada):
    clients = (*outsiders, staff_without_rights, ada)
    pages = list(page_urls())
    assert len(pages) > 40
    assert {pattern for pattern, _ in pages} >= EXCEPTIONS.keys()
    statuses = {
        pattern: tuple(client.get(url).status_code for client in clients) for pattern, url in pages
    }
    assert statuses == {pattern: expected_statuses(pattern) for pattern, _ in pages}


def test_anonymous_request_is_redirected_to_the_sign_in(target, client):
    for pattern, url in page_urls():
        if expected_statuses(pattern)[0] == 302 and pattern not in ("login/", "logout/"):
            response = client.get(url)
            assert response["Location"].startswith("/accounts/login/?next=%2Fadmin%2F"), url


def test_post_of_an_outsider_changes_nothing(target, outsiders, staff_without_rights):
    form = {"post": "yes", "confirmed": "yes", "email": "a@example.com", "username": "x"}
    before = state()
    clients = (*outsiders, staff_without_rights)
    for pattern, url in page_urls():
        if pattern in ("logout/", "password_change/"):
            continue  # all users can sign out; test_break_glass tests the password
        for client, get_status in zip(clients, expected_statuses(pattern), strict=False):
            response = client.post(url, form)
            is_refused = response.status_code in (302, 403, 404, 405)
            assert is_refused or get_status == 200, (url, response.status_code)
    assert state() == before


@pytest.mark.parametrize(("model", "name"), list(actions()))
def test_action_is_closed_to_outsiders(target, outsiders, staff_without_rights, model, name):
    before = state()
    for client in (*outsiders, staff_without_rights):
        for confirmation in ({}, {"confirmed": "yes"}, {"post": "yes"}):
            response = act(client, model, name, **confirmation)
            # 404: the redirect leads to the hosted UI, which is not running.
            assert response.status_code in (403, 404), name
    assert state() == before


# Checks of the effect of each action. An action without a check fails its test.
EFFECTS = {
    "sign_out_everywhere": lambda response: not SignIn.objects.live().filter(subject="t").exists(),
    "deactivate": lambda response: not User.objects.get(username="target-user").is_active,
    "activate": lambda response: User.objects.get(username="target-user").is_active,
    "reconcile": lambda response: not User.objects.get(username="target-user").is_active,
    "end_sign_ins": lambda response: not SignIn.objects.live().filter(subject="t").exists(),
    "export_csv": lambda response: response.getvalue().startswith(b"\xef\xbb\xbfat,kind,reason"),
    "delete_selected": lambda response: not Group.objects.filter(name="a group").exists(),
}
EFFECTS["delete_figures"] = lambda response: not Stat.objects.exists()


@pytest.mark.parametrize(("model", "name"), list(actions()))
def test_action_works_for_ada(target, ada, monkeypatch, model, name):
    monkeypatch.setattr(user_pool, "get_user", lambda subject: None)  # deleted in the pool
    if name == "activate":
        User.objects.filter(username="target-user").update(is_active=False)
    response = act(ada, model, name)
    assert response.status_code == 200
    if name in ("reconcile", "delete_figures", "delete_selected"):
        assert not EFFECTS[name](response), "it requires a confirmation"
        response = act(ada, model, name, confirmed="yes", post="yes")
    assert EFFECTS[name](response)


@pytest.fixture
def viewer(client):
    """A client of a staff user with all view permissions and no others."""
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    return client


def test_staff_with_view_permissions_cannot_change_anything(target, viewer):
    before = state()
    user_page = reverse("admin:accounts_user_change", args=[target.user_id])
    page = viewer.get(user_page)
    assert page.status_code == 200
    assert "Sign out everywhere" not in page.text
    for model, name in (parameter.values for parameter in actions()):
        act(viewer, model, name, confirmed="yes", post="yes")
    assert state() == before
    assert viewer.get(reverse("admin:accounts_invitations")).status_code == 403
    assert viewer.post(user_page, {"is_superuser": "on"}).status_code == 403


@pytest.mark.parametrize(
    ("page", "field"),
    [
        ("signin", "key"),
        ("signin", "sealed_tokens"),
        ("pendingrevocation", "sealed_token"),
    ],
)
def test_filter_by_a_sensitive_field_is_refused(target, viewer, page, field):
    url = reverse(f"admin:accounts_{page}_changelist")
    assert viewer.get(url, {"reference__startswith": "7"}).status_code == 200
    for lookup in ("", "__startswith", "__regex"):
        assert viewer.get(url, {f"{field}{lookup}": "a"}).status_code == 400


@pytest.fixture
def helper(client):
    """A client of a staff user who can change users, and is not a superuser."""
    user = User.objects.create_user("helper", is_staff=True)
    codenames = ("view_user", "change_user", "view_signin")
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return client


def test_staff_without_superuser_status_cannot_grant_themselves_rights(helper):
    user = User.objects.get(username="helper")
    Group.objects.create(name="managers")
    url = reverse("admin:accounts_user_change", args=[user.pk])
    form = {"username": "helper", "is_active": "on", "is_superuser": "on", "groups": "1"}
    assert helper.post(url, form).status_code == 302
    user.refresh_from_db()
    assert not user.is_superuser
    assert not user.groups.exists()


@pytest.mark.parametrize("action", ["deactivate", "sign_out_everywhere"])
def test_staff_without_superuser_status_cannot_change_a_superuser(helper, target, action):
    User.objects.filter(pk=target.user_id).update(is_superuser=True)
    before = state()
    url = reverse("admin:accounts_user_changelist")
    page = helper.post(url, {"action": action, "_selected_action": [target.user_id]}, follow=True)
    assert "Only a superuser can change another superuser." in page.text
    assert state() == before
    user_page = reverse("admin:accounts_user_change", args=[target.user_id])
    assert helper.post(user_page, {"username": "target-user"}).status_code == 403


def test_message_says_that_sign_ins_of_superusers_were_skipped(helper, target):
    User.objects.filter(pk=target.user_id).update(is_superuser=True)
    sign_ins = SignIn.objects.filter(user=target.user_id)
    form = {"action": "end_sign_ins", "_selected_action": [sign_in.pk for sign_in in sign_ins]}
    page = helper.post(reverse("admin:accounts_signin_changelist"), form, follow=True)
    assert "Only a superuser can change another superuser." in page.text
    assert "Sign-ins ended: 0." in page.text
    assert sign_ins.live().exists()


class HostUserAdmin(UserPage, UserAdmin):
    """The user admin of a host project, as in docs/adopt.md: Django's own can delete users."""


def test_staff_cannot_delete_superusers_or_their_own_account(helper, target):
    model_admin = HostUserAdmin(User, admin.site)
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
