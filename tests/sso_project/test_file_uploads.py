"""Files are accepted only from staff with import permission, on the import page, in memory."""

import json
import tempfile

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import InMemoryUploadedFile, SimpleUploadedFile
from django.test import Client

from sso_project import settings as site_settings
from stats.admin import FileForm, StatAdmin
from stats.models import Stat

pytestmark = pytest.mark.django_db
IMPORT = "/admin/stats/stat/import/"
PATHS = [IMPORT, "/admin/logout/", "/accounts/logout/", "/profile/", "/dashboard/figures/add/"]


def upload(client, path, size=5_000_000):
    csv = b"kpi,year,month,value\n".ljust(size, b"\n")
    return client.post(path, {"import_file": SimpleUploadedFile("a.csv", csv), "format": "0"})


def staff(cognito_client, *permissions):
    client = cognito_client("linus", bearer=False)
    user = client.user
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return client


@pytest.fixture(autouse=True)
def no_disk(monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError("a request wrote to disk")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", fail)
    monkeypatch.setattr("django.core.files.uploadedfile.tempfile.NamedTemporaryFile", fail)


@pytest.mark.parametrize("path", PATHS)
def test_files_of_anonymous_users_are_refused_before_they_are_read(path):
    client = Client(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "a" * 32
    # Signing out reads no body. Without a session, it only redirects.
    assert upload(client, path).status_code == (302 if path == "/admin/logout/" else 403)


@pytest.mark.parametrize("path", PATHS[1:])
def test_staff_can_upload_only_to_views_that_accept_files(cognito_client, path):
    client = cognito_client("ada", groups=["admins"], bearer=False)
    assert upload(client, path).status_code in (403, 405)


@pytest.mark.parametrize(
    "permissions", [(), ("add_stat",), ("change_stat",), ("view_stat", "delete_stat")]
)
def test_staff_without_the_import_permission_are_refused(cognito_client, permissions):
    assert upload(staff(cognito_client, *permissions), IMPORT).status_code == 403


def test_staff_with_the_import_permission_upload_into_memory(cognito_client, monkeypatch):
    files = []

    def record(form):
        files.append(form.cleaned_data["import_file"])
        raise ValidationError("recorded")

    monkeypatch.setattr(FileForm, "clean_import_file", record)
    upload(staff(cognito_client, "add_stat", "change_stat"), IMPORT)
    assert [type(file) for file in files] == [InMemoryUploadedFile]
    assert files[0].size == 5_000_000


def test_permissions_are_those_of_the_import_page():
    [(view_name, names)] = site_settings.FILE_UPLOAD_VIEWS.items()
    assert view_name == "admin:stats_stat_import"
    checked = []

    class User:
        def has_perm(self, name):
            checked.append(name)
            return True

    class Request:
        user = User()

    assert StatAdmin(Stat, admin.site).has_import_permission(Request())
    assert set(checked) == set(names)


@pytest.mark.parametrize("path", ["/api/auth/get-tokens", "/api/stats", "/api/stats/bulk"])
def test_api_accepts_no_files(cognito_client, path):
    response = upload(cognito_client("grace", groups=["editors"]), path)
    assert response.status_code == 415
    assert json.loads(response.content)["code"] == "unsupported_media_type"


def test_forms_without_files_are_accepted(cognito_client):
    client = cognito_client("ada", groups=["admins"], bearer=False)
    assert client.post("/accounts/logout/", {"x": "1"}).status_code == 302
