"""The app's configuration. Its name is that of the folder, so a host project can rename it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = __package__
    default_auto_field = "django.db.models.BigAutoField"  # as in the migrations
    verbose_name = _("Users and sign-ins")

    def ready(self) -> None:
        from . import checks
        from .audit import rights
        from .provider import factory
        from .sessions import access_tokens, deactivation, other_logins

        checks.register()
        access_tokens.connect()
        deactivation.connect_signals()
        other_logins.connect_signals()
        rights.connect_signals()
        factory.reset_on_setting_change()
