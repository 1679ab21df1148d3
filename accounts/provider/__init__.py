"""The configuration of Cognito on this site, and the calls to Cognito and AWS."""

from .factory import Provider as Provider
from .factory import provider as provider
from .limits import Limits as Limits
