"""Security classes for django-ninja (`NinjaAPI(auth=…)`), and its error responses."""

from .api.ninja_auth import AsyncCognitoBearer as AsyncCognitoBearer
from .api.ninja_auth import CallRefused as CallRefused
from .api.ninja_auth import CognitoBearer as CognitoBearer
from .api.ninja_auth import add_error_handlers as add_error_handlers
from .api.principals import Machine as Machine
