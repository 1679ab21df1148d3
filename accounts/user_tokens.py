"""Access tokens of signed-in users, for your own code outside of a request, such as a task.

    token = access_token(sign_in_id)  # the primary key of request.sign_in

In a request, call `request.sign_in.access_token()`.
"""

from .problems.errors import RenewalUnavailable as RenewalUnavailable
from .problems.errors import SessionEnded as SessionEnded
from .sessions.access_tokens import access_token as access_token
