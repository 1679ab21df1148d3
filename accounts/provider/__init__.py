"""How Cognito is configured on this site, and how the site calls it."""

from .factory import Provider as Provider
from .factory import provider as provider
from .limits import Limits as Limits
