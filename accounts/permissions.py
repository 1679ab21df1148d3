"""Permission classes for API views, and `group_required` for pages."""

from .api.permissions import HasScope as HasScope
from .api.permissions import InGroup as InGroup
from .api.permissions import IsUser as IsUser
from .api.permissions import Requirement as Requirement
from .api.permissions import is_read_only as is_read_only
from .api.permissions import is_user as is_user
from .decorators import group_required as group_required
