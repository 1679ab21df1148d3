"""The principal of an API call: a user of this site, or a machine."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Manager, Model
from django.db.models.base import ModelState
from django.db.models.signals import post_init
from django.utils.functional import cached_property

from ..cognito.claims import AccessClaims
from ..models import Identity
from ..problems.errors import UserDeactivated
from ..provider.client_rights import ClientRights
from ..tokens import revocation_feed, revocations
from ..users.provisioning import get_or_create_user
from ..users.token_rights import client_rights, effective_scopes
from .limited_user import limit, limited_class


@dataclass(frozen=True)
class Machine:
    """A machine-to-machine caller (client_credentials grant). It has no Django user.

    It is in `request.user`, is authenticated and has `scopes`. It has no permissions, groups or
    staff status, because those are for users.
    """

    client_id: str
    scopes: frozenset[str]

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    is_superuser = False
    is_machine = True
    pk = None
    id = None

    def __str__(self) -> str:
        return self.client_id

    def get_username(self) -> str:
        return self.client_id

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return False

    def has_perms(self, perm_list: Collection[str], obj: object = None) -> bool:
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return False

    def get_all_permissions(self, obj: object = None) -> set[str]:
        return set()


# A user's instance holds these fields from the start. All others are read on access, so that staff
# and superuser status are current, however long the token is valid.
_USER_FIELDS = ("is_active",)


def principal_factory(claims: AccessClaims, *, access_token: str = "") -> Callable[[], Any]:
    """Return a function that makes the principal of a token for each request, without a query.

    Raises UnknownUser, ClaimsRefused, UserDeactivated, TokenRevoked, SignedOutEverywhere.
    """
    if claims.is_machine:
        machine = Machine(client_id=claims.client_id, scopes=effective_scopes(claims))
        return lambda: machine
    model: Any = get_user_model()
    rights = client_rights(claims)
    cls = model if rights is ClientRights.STAFF else limited_class(model, rights)
    identity = Identity.objects.get_exact(claims)
    revocations.require_later_sign_in(claims, identity)
    if identity is None:
        # The token of a user who was deleted a moment ago must not create them again.
        revocation_feed.check_user_in_database(claims)
    return _user_factory(get_or_create_user(claims, access_token=access_token), cls)


def _is_read_whole(model: Any) -> bool:
    """Return True if code of the host project requires or hides whole users.

    Fields that are read on access would be read by that code for each instance, without end.
    """
    plain: Any = Model
    own_code = model.__init__ is not plain.__init__ or (
        model.from_db.__func__ is not plain.from_db.__func__
    )
    is_hiding = type(model._default_manager).get_queryset is not Manager.get_queryset
    has_computed_status = isinstance(getattr(model, "is_active", None), property | cached_property)
    return own_code or is_hiding or has_computed_status or post_init.has_listeners(model)


def _read_whole(user: Any, cls: Any) -> Any:
    """Return the user as the database has them now. Raises UserDeactivated."""
    model: Any = get_user_model()
    current = model._default_manager.using(user._state.db).filter(pk=user.pk).first()
    if current is None or not current.is_active:
        raise UserDeactivated("this user was deactivated on this site", user=user)
    return current if cls is model else limit(current, cls)


def _user_factory(user: Any, cls: Any) -> Callable[[], Any]:
    """Make fresh instances of `user`, since Django keeps permissions on them.

    `cls` is the user model, or a limited class of it.
    """
    model: Any = get_user_model()
    if _is_read_whole(model):
        return lambda: _read_whole(user, cls)
    loaded = [model._meta.pk.attname, model.USERNAME_FIELD]
    for name in _USER_FIELDS:
        try:
            loaded.append(model._meta.get_field(name).attname)
        except FieldDoesNotExist:  # a host project's user model may lack this field
            continue
    names = [field.attname for field in model._meta.concrete_fields if field.attname in loaded]
    values = [getattr(user, name) for name in names]
    template = model.from_db(user._state.db, names, values)
    database, attributes = template._state.db, vars(template)
    del attributes["_state"]

    def instance() -> Any:
        # Faster than copy(), with a state of its own.
        state = ModelState()
        state.adding, state.db = False, database
        copied = cls.__new__(cls)
        copied.__dict__.update(attributes)
        copied._state = state
        return copied

    return instance
