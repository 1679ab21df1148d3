"""The sign-in of a long-lived connection, such as a WebSocket (docs/async.md)."""

from .sessions.connections import sign_in_of as sign_in_of
from .sessions.connections import until_ended as until_ended
