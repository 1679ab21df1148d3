"""The sign-in page of an identity provider, which plays Google, or an OIDC provider of a company.

It stands between the authorize endpoint and the callback, as the provider does. An error that the
command ``provider-error`` has set is sent to the app's callback instead of a code.
"""

from werkzeug.wrappers import Response

from . import federation
from .authorization import AuthorizationRequest
from .errors import INVALID, UserError
from .hosted_ui import Form, finish, form_view
from .pool import Pool


def submit(pool: Pool, auth_request: AuthorizationRequest, form: Form) -> Response:
    """Sign in the user whom the provider's page names, as Cognito does after the callback."""
    provider, subject = auth_request.provider, form.get("subject", "").strip()
    if pool.provider_errors:
        raise auth_request.to_error("invalid_request", pool.provider_errors.pop(0))
    if not subject:
        raise UserError(INVALID, "Enter the ID of a user at the provider.")
    mapped = {name: form.get(name, "").strip() for name in ("email", "name")}
    try:
        user = federation.sign_in(pool, provider, subject, mapped)
    except UserError as error:
        raise auth_request.to_error("invalid_request", error.message) from None
    if not user.enabled:
        raise auth_request.to_error("invalid_request", "User is not enabled")
    return finish(pool, auth_request, user, f"with {provider}", federation.AMR)


ROUTES = (
    ("/_local/provider", "_local_provider", form_view("provider.html", submit), ["GET", "POST"]),
)
