"""The user pool of the rehearsals under load, and how they report their progress."""

from __future__ import annotations

import sys
import time
from typing import Any

TOKEN_SECONDS = 20  # short, so that tokens are renewed continuously
# With a grace of 0, a process that is killed after Cognito has rotated a refresh token, and before
# the new one is stored, loses the sign-in.
POOL: dict[str, Any] = {
    "access_token_seconds": TOKEN_SECONDS,
    "id_token_seconds": TOKEN_SECONDS,
    "rotate_refresh_tokens": True,
    "refresh_grace_seconds": 60,
}


def say(text: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {text}\n")
    sys.stdout.flush()
