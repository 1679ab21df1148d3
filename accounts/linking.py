"""Links of existing users to pool users whose IDs are known (docs/coming-from.md)."""

from .directory.manual_linking import link_user as link_user
from .problems.errors import LinkError as LinkError
