"""Text that must not be in logs and error reports.

Error reports show the repr of the local variables of each frame. A token is in many of them.
"""

from __future__ import annotations


class SecretText(str):
    """A token, code or secret. It is an ordinary string whose repr does not show it.

    What is made of it, such as a slice, is not secret text any more.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'********'"
