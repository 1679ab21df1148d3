"""A user as an API call through a limited app client has them: the same user with fewer rights.

`limited_class` makes a Python subclass of the user model that is not a model of its own, so that
Django treats its instances as those of the user model: `_meta`, managers, queries and signals are
the model's. Only the rights differ, and nothing of that difference can be saved.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any, ClassVar

from asgiref.sync import sync_to_async
from django.apps import apps
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import PermissionDenied

from ..provider.client_rights import ClientRights

_STATUS_FIELDS = frozenset({"is_staff", "is_superuser"})
_PERMISSION_HOOKS = (
    "has_perm",
    "has_perms",
    "has_module_perms",
    "get_all_permissions",
    "get_user_permissions",
    "get_group_permissions",
)


@cache
def limited_class(model: Any, client_rights: ClientRights) -> Any:
    """Return the class whose instances are users of `model` with at most these rights."""
    members = {
        "__module__": __name__,
        # Django sends its signals with this class as sender.
        "__class__": property(lambda self: model),
        "client_rights": client_rights,
    }
    # Without ModelBase.__new__, which would register another model with Django.
    return type.__new__(type(model), model.__name__, (_LimitedUser, model), members)


def limit(user: Any, cls: Any) -> Any:
    """Return `user` as an instance of a limited class."""
    for name in _STATUS_FIELDS:
        vars(user).pop(name, None)  # as if it was never loaded
    user.__class__ = cls
    return user


def _restore(model_label: str, client_rights: ClientRights) -> Any:
    model: Any = apps.get_model(model_label)
    cls = limited_class(model, client_rights)
    return cls.__new__(cls)


class _WithheldStatus:
    """A status that reads as False and whose field is never loaded.

    Django treats the field as deferred and therefore leaves its column alone in `save()`. An
    assigned value is dropped for the same reason. As with any deferred field, the first reading
    raises DoesNotExist if the user was deleted.
    """

    def __get__(self, user: Any, owner: Any = None) -> bool:
        if user is not None:
            _ = user._has_status  # requires that the user still exists
        return False

    def __set__(self, user: Any, value: Any) -> None:
        pass


class _LimitedUser:
    """Stands before the user model in the bases of a limited class."""

    client_rights: ClassVar[ClientRights]
    _meta: Any
    _state: Any
    pk: Any

    is_staff = _WithheldStatus()
    is_superuser = _WithheldStatus()

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self._allows(perm) and super().has_perm(perm, obj)  # type: ignore[misc]

    def has_perms(self, perm_list: Any, obj: Any = None) -> bool:
        return not self._is_inseparable and super().has_perms(perm_list, obj)  # type: ignore[misc]

    def has_module_perms(self, app_label: str) -> bool:
        return not self._is_inseparable and super().has_module_perms(app_label)  # type: ignore[misc]

    def get_all_permissions(self, obj: Any = None) -> set[str]:
        return self._allowed(super().get_all_permissions(obj))  # type: ignore[misc]

    def get_user_permissions(self, obj: Any = None) -> set[str]:
        return self._allowed(super().get_user_permissions(obj))  # type: ignore[misc]

    def get_group_permissions(self, obj: Any = None) -> set[str]:
        return self._allowed(super().get_group_permissions(obj))  # type: ignore[misc]

    # Django's own ask the authentication backends directly.
    async def ahas_perm(self, perm: str, obj: Any = None) -> bool:
        return await sync_to_async(self.has_perm)(perm, obj)

    async def ahas_perms(self, perm_list: Any, obj: Any = None) -> bool:
        return await sync_to_async(self.has_perms)(perm_list, obj)

    async def ahas_module_perms(self, app_label: str) -> bool:
        return await sync_to_async(self.has_module_perms)(app_label)

    async def aget_all_permissions(self, obj: Any = None) -> set[str]:
        return await sync_to_async(self.get_all_permissions)(obj)

    async def aget_user_permissions(self, obj: Any = None) -> set[str]:
        return await sync_to_async(self.get_user_permissions)(obj)

    async def aget_group_permissions(self, obj: Any = None) -> set[str]:
        return await sync_to_async(self.get_group_permissions)(obj)

    def save_base(self, *args: Any, update_fields: Any = None, **options: Any) -> None:
        """Raise PermissionDenied if staff or superuser status would be written."""
        columns = {field.attname for field in self._meta.concrete_fields}
        written = columns if update_fields is None else set(update_fields)
        if written & columns & _STATUS_FIELDS:
            raise PermissionDenied("This app client can't change staff or superuser status.")
        super().save_base(*args, update_fields=update_fields, **options)  # type: ignore[misc]

    def __reduce__(self) -> Any:
        state: Any = super().__reduce__()[2]
        return _restore, (self._meta.label, self.client_rights), state

    def _allowed(self, permissions: set[str]) -> set[str]:
        return {perm for perm in permissions if self._allows(perm)}

    def _allows(self, perm: str) -> bool:
        if self._is_inseparable:
            return False
        is_view = perm.rpartition(".")[2].startswith("view_")
        return is_view or self.client_rights is not ClientRights.READ

    @cached_property
    def _is_inseparable(self) -> bool:
        """True for staff whose user model decides permissions itself.

        Which of them come from staff or superuser status is then unknown, so that they have none.
        """
        model = self._meta.model
        if all(
            getattr(model, hook, None) is getattr(PermissionsMixin, hook)
            for hook in _PERMISSION_HOOKS
        ):
            return False
        return self._has_status

    @cached_property
    def _has_status(self) -> bool:
        """True if the user is staff or a superuser. Raises DoesNotExist for a deleted user."""
        user = self._meta.model._base_manager.using(self._state.db).get(pk=self.pk)
        return any(getattr(user, name, False) for name in _STATUS_FIELDS)
