"""The Django group that can write figures. COGNITO_GROUPS maps groups of the pool to it."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import router

EDITORS = "editors"


def create_editors_group(
    app_config: AppConfig, using: str, apps: Any = installed, verbosity: int = 0, **kwargs: Any
) -> None:
    """Create the group after `migrate`, if there is none. An existing group is not changed."""
    try:
        group_model = apps.get_model("auth", "Group")
        permission_model = apps.get_model("auth", "Permission")
        stat = apps.get_model("stats", "Stat")
    except LookupError:
        return  # a migration backwards removed these models
    if not router.allow_migrate_model(using, group_model):
        return
    groups = group_model.objects.using(using)
    if groups.filter(name=EDITORS).exists():
        return
    # Django also creates permissions after `migrate`, but maybe later, depending on the order of
    # INSTALLED_APPS.
    create_permissions(app_config, verbosity=0, using=using, apps=apps)
    permissions = permission_model.objects.using(using).filter(
        content_type__app_label=app_config.label, content_type__model=stat._meta.model_name
    )
    group, _ = groups.get_or_create(name=EDITORS)
    # Without signals: the group is new, so this is not a change of rights for the audit log.
    through = group_model.permissions.through
    through.objects.using(using).bulk_create(
        through(group=group, permission=permission) for permission in permissions
    )
