"""Access tokens of signed-in users, for your own code outside of a request, such as a task.

    token = access_token(sign_in_id)  # the primary key of request.sign_in
    token = on_behalf_of(sign_in_id, resource="https://books.example.com")

In a request, call `request.sign_in.access_token()` and `request.sign_in.on_behalf_of()`. In an API
view, call `on_behalf_of_caller(request)`: it works for an access token and for a session.
"""

from .cognito.errors import CognitoUnavailable as CognitoUnavailable
from .cognito.errors import ExchangeRejected as ExchangeRejected
from .problems.errors import RenewalUnavailable as RenewalUnavailable
from .problems.errors import SessionEnded as SessionEnded
from .sessions.access_tokens import access_token as access_token
from .sessions.access_tokens import on_behalf_of as on_behalf_of
from .sessions.access_tokens import on_behalf_of_caller as on_behalf_of_caller
