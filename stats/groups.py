"""The Django group that may write figures. Which group of the pool leads into it is configuration
(COGNITO_GROUPS); this application only says that there is one and what it may do."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import router

EDITORS = "editors"


def make_editors(
    app_config: AppConfig, using: str, apps: Any = installed, verbosity: int = 0, **kwargs: Any
) -> None:
    """After `migrate`: make the group once. What admins changed about it later is theirs."""
    try:
        group_model = apps.get_model("auth", "Group")
        permission_model = apps.get_model("auth", "Permission")
        stat = apps.get_model("stats", "Stat")
    except LookupError:
        return  # migrated back to before these models
    if not router.allow_migrate_model(using, group_model):
        return
    groups = group_model.objects.using(using)
    if groups.filter(name=EDITORS).exists():
        return
    # Django makes permissions after `migrate` as well, but whose turn comes first depends on the
    # order of INSTALLED_APPS.
    create_permissions(app_config, verbosity=0, using=using, apps=apps)
    permissions = permission_model.objects.using(using).filter(
        content_type__app_label=app_config.label, content_type__model=stat._meta.model_name
    )
    group, _ = groups.get_or_create(name=EDITORS)
    # Straight into the table: the application comes with it, so that nobody's rights were changed.
    through = group_model.permissions.through
    through.objects.using(using).bulk_create(
        through(group=group, permission=permission) for permission in permissions
    )
