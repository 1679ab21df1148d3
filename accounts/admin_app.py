"""The admin, entered by single sign-on: name this in INSTALLED_APPS where `django.contrib.admin`
stands."""

from django.contrib.admin.apps import AdminConfig


class SingleSignOnAdminConfig(AdminConfig):
    default_site = f"{__package__}.admin_site.sites.SingleSignOnAdminSite"
