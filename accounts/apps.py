"""The application. Its name is wherever the folder stands, so that it can be taken in renamed."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = __package__
    default_auto_field = "django.db.models.BigAutoField"  # as in the migrations, wherever we are
    verbose_name = "People and sign-ins"

    def ready(self) -> None:
        from . import checks
        from .audit import rights
        from .provider import factory
        from .sessions import deactivation

        checks.register()
        deactivation.watch()
        rights.watch()
        factory.reset_on_setting_change()
