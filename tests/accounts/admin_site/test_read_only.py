"""Read-only pages leave out the fields that privacy/sensitive_fields names."""

import pytest
from django.contrib import admin

from accounts.admin_site.read_only import ReadOnlyAdmin
from accounts.models import PendingRevocation, SignIn
from accounts.privacy.sensitive_fields import sensitive_fields

PAGES = [page for page in admin.site._registry.values() if isinstance(page, ReadOnlyAdmin)]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_page_shows_no_sensitive_field(page, rf, admin_user):
    request = rf.get("/")
    request.user = admin_user
    fields = page.get_fields(request) if page.fieldsets is None else []
    assert not sensitive_fields(page.model) & set(fields)


def test_subclass_can_exclude_more_fields(rf):
    class Page(ReadOnlyAdmin):
        exclude = ("reference",)

    assert set(Page(PendingRevocation, admin.site).get_exclude(rf.get("/"))) == {
        "reference",
        "sealed_token",
    }


def test_page_of_a_sign_in_hides_the_fields_that_coordinate_renewal(rf, admin_user):
    request = rf.get("/")
    request.user = admin_user
    fields = admin.site._registry[SignIn].get_fields(request)
    assert "signed_in_at" in fields
    assert "version" not in fields
