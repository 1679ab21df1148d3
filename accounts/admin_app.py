"""Django's admin with single sign-on: list this in INSTALLED_APPS instead of its own app."""

from django.contrib.admin.apps import AdminConfig


class SingleSignOnAdminConfig(AdminConfig):
    default_site = f"{__package__}.admin_site.sites.SingleSignOnAdminSite"
