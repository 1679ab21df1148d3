"""The operations about identity providers, and about the identities that are linked to users."""

from . import federation, users
from .api_shapes import Body, Operations, page
from .errors import INVALID, UserError
from .pool import Pool


def _describe(pool: Pool, name: str) -> Body:
    return {
        "ProviderName": name,
        "ProviderType": federation.provider_type(name),
        "CreationDate": 0,
        "LastModifiedDate": 0,
    }


def _describe_in_full(pool: Pool, name: str) -> Body:
    federation.require_provider(pool, name)
    mapping = {"email": "email", "name": "name", "username": "sub"}
    more = {"UserPoolId": pool.config.id, "AttributeMapping": mapping, "IdpIdentifiers": [name]}
    return {"IdentityProvider": _describe(pool, name) | more}


def list_identity_providers(pool: Pool, body: Body) -> Body:
    described = [_describe(pool, name) for name in pool.config.identity_providers]
    return page(body, "Providers", described, limit="MaxResults")


def admin_link_provider_for_user(pool: Pool, body: Body) -> None:
    """Link an identity (``SourceUser``) to a user of the pool (``DestinationUser``)."""
    source, destination = body["SourceUser"], body["DestinationUser"]
    if source.get("ProviderAttributeName") != "Cognito_Subject":
        message = "At the local pool, ProviderAttributeName of SourceUser is Cognito_Subject."
        raise UserError(INVALID, message)
    user = users.get(pool, destination.get("ProviderAttributeValue", ""))
    subject = source.get("ProviderAttributeValue", "")
    federation.link(pool, user, source.get("ProviderName", ""), subject)


def admin_disable_provider_for_user(pool: Pool, body: Body) -> None:
    user = body["User"]
    name, subject = user.get("ProviderName", ""), user.get("ProviderAttributeValue", "")
    federation.unlink(pool, name, subject)


OPERATIONS: Operations = {
    "AdminDisableProviderForUser": admin_disable_provider_for_user,
    "AdminLinkProviderForUser": admin_link_provider_for_user,
    "DescribeIdentityProvider": lambda pool, body: _describe_in_full(pool, body["ProviderName"]),
    "GetIdentityProviderByIdentifier": lambda pool, body: _describe_in_full(
        pool, body["IdpIdentifier"]
    ),
    "ListIdentityProviders": list_identity_providers,
}
