"""Permission classes for API views, and the decorators for pages."""

from contextlib import suppress

from .decorators import group_required as group_required
from .decorators import recent_sign_in_required as recent_sign_in_required

with suppress(ModuleNotFoundError):  # a project without an API may not have REST framework
    from .api.permissions import HasScope as HasScope
    from .api.permissions import InGroup as InGroup
    from .api.permissions import IsUser as IsUser
    from .api.permissions import RecentSignIn as RecentSignIn
    from .api.permissions import Requirement as Requirement
    from .api.permissions import is_read_only as is_read_only
    from .api.permissions import is_user as is_user
