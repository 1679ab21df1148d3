"""Users, identities, sign-ins and the audit log in the admin. Tokens are never shown.

Autodiscovery imports this module, and each import registers pages. The site class is in
`admin_site.sites`, which registers nothing: Django would otherwise drop the pages (see
docs/architecture.md).
"""

from .admin_site import events as events
from .admin_site import users as users
from .admin_site.read_only import ReadOnlyAdmin as ReadOnlyAdmin
from .admin_site.user_page import UserPage as UserPage
