"""Authentication classes for `REST_FRAMEWORK`, and the machine principal."""

from .api.authentication import CognitoAuthentication as CognitoAuthentication
from .api.authentication import SessionAuthentication as SessionAuthentication
from .api.principals import Machine as Machine
