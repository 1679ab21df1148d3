"""The operations about identity providers, and about the identities that are linked to users."""

from dataclasses import replace

from . import attributes, federation, users
from .api_shapes import Body, Operations, page
from .declarations import OidcProvider, provider_type
from .errors import INVALID, UserError
from .pool import Pool

DETAILS = {  # member of ProviderDetails -> field
    "client_id": "client_id",
    "client_secret": "client_secret",
    "oidc_issuer": "issuer",
    "authorize_scopes": "scopes",
}
ACCEPTED = {
    name: ("ProviderName", *more, "ProviderDetails", "AttributeMapping", "IdpIdentifiers")
    for name, more in (
        ("CreateIdentityProvider", ("ProviderType",)),
        ("UpdateIdentityProvider", ()),
    )
}


def _describe(pool: Pool, name: str) -> Body:
    provider = pool.oidc_providers.get(name)
    return {
        "ProviderName": name,
        "ProviderType": "OIDC" if provider else provider_type(name),
        "CreationDate": provider.created if provider else 0,
        "LastModifiedDate": provider.modified if provider else 0,
    }


def _describe_in_full(pool: Pool, name: str) -> Body:
    federation.require_provider(pool, name)
    provider = pool.oidc_providers.get(name)
    mapping = provider.mapping if provider else {"email": "email", "name": "name"}
    more: Body = {
        "UserPoolId": pool.config.id,
        "AttributeMapping": mapping | {"username": "sub"},
        "IdpIdentifiers": list(provider.identifiers) if provider else [name],
    }
    if provider:
        more["ProviderDetails"] = {key: getattr(provider, field) for key, field in DETAILS.items()}
    return {"IdentityProvider": _describe(pool, name) | more}


def _by_identifier(pool: Pool, body: Body) -> Body:
    sent = body["IdpIdentifier"]
    names = [p.name for p in pool.oidc_providers.values() if sent in p.identifiers]
    return _describe_in_full(pool, next(iter(names), sent))


def list_identity_providers(pool: Pool, body: Body) -> Body:
    described = [_describe(pool, name) for name in pool.provider_names]
    return page(body, "Providers", described, limit="MaxResults")


def create_identity_provider(pool: Pool, body: Body) -> Body:
    if body["ProviderType"] != "OIDC":
        raise UserError(INVALID, "At the local pool, ProviderType is always OIDC.")
    if body["ProviderName"] in pool.provider_names:
        raise UserError("DuplicateProviderException", "A provider with this name exists already.")
    now = pool.clock()
    new = OidcProvider(body["ProviderName"], "", "", created=now, modified=now)
    return _store(pool, new, body)


def update_identity_provider(pool: Pool, body: Body) -> Body:
    federation.require_provider(pool, body["ProviderName"])
    provider = pool.oidc_providers.get(body["ProviderName"])
    if provider is None:
        message = "The local pool can only change OIDC providers that the API created."
        raise UserError("UnsupportedIdentityProviderException", message)
    return _store(pool, provider, body)


def _store(pool: Pool, provider: OidcProvider, body: Body) -> Body:
    details = body.get("ProviderDetails") or {}
    changes = {field: details[key] for key, field in DETAILS.items() if key in details}
    mapping = {k: v for k, v in (body.get("AttributeMapping") or {}).items() if k != "username"}
    changed = replace(
        provider,
        **changes,
        mapping=mapping or provider.mapping,
        identifiers=tuple(body.get("IdpIdentifiers") or provider.identifiers),
        modified=pool.clock(),
    )
    if not changed.issuer or not changed.client_id:
        raise UserError(INVALID, "ProviderDetails must have oidc_issuer and client_id.")
    attributes.check(pool, dict.fromkeys(mapping, ""))
    pool.put("oidc_providers", changed.name, changed)
    return _describe_in_full(pool, changed.name)


def delete_identity_provider(pool: Pool, body: Body) -> None:
    federation.require_provider(pool, body["ProviderName"])
    pool.remove("oidc_providers", body["ProviderName"])


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
    "CreateIdentityProvider": create_identity_provider,
    "DeleteIdentityProvider": delete_identity_provider,
    "UpdateIdentityProvider": update_identity_provider,
    "AdminDisableProviderForUser": admin_disable_provider_for_user,
    "AdminLinkProviderForUser": admin_link_provider_for_user,
    "DescribeIdentityProvider": lambda pool, body: _describe_in_full(pool, body["ProviderName"]),
    "GetIdentityProviderByIdentifier": _by_identifier,
    "ListIdentityProviders": list_identity_providers,
}
