"""The operations about client-ID metadata documents: policies, and the cached documents."""

import secrets
from dataclasses import replace

from . import cimd
from .api_shapes import Body, Operations, find_client, page
from .errors import INVALID, PageError, UserError
from .pool import Pool
from .records import CimdPolicy


def _find(pool: Pool, body: Body) -> CimdPolicy:
    policy = pool.state.cimd_policies.get(body["CIMDPolicyId"])
    if policy is None:
        raise UserError("ResourceNotFoundException", "The CIMD policy does not exist.")
    return policy


def _require_plan(pool: Pool) -> None:
    pool.require_primary()
    if pool.config.plan == "lite":
        message = "The Lite plan has no client-ID metadata documents."
        raise UserError("FeatureUnavailableInTierException", message)


def _describe(policy: CimdPolicy) -> Body:
    return {
        "CIMDPolicyId": policy.policy_id,
        "ClientId": policy.client_id,
        "PolicyName": policy.name,
        "CacheDuration": policy.cache_seconds,
        "CreationDate": policy.created,
        "LastModifiedDate": policy.modified,
    }


def _describe_in_full(pool: Pool, policy: CimdPolicy) -> Body:
    more = {"UserPoolId": pool.config.id, "URLPatterns": list(policy.patterns)}
    return {"CIMDPolicy": _describe(policy) | more}


def create_cimd_policy(pool: Pool, body: Body) -> Body:
    _require_plan(pool)
    now = pool.clock()
    policy = CimdPolicy(secrets.token_hex(13), "", "", (), cimd.MIN_CACHE_SECONDS, now, now)
    return _store(pool, policy, body)


def update_cimd_policy(pool: Pool, body: Body) -> Body:
    _require_plan(pool)
    return _store(pool, _find(pool, body), body)


def _store(pool: Pool, policy: CimdPolicy, body: Body) -> Body:
    client = find_client(pool, body)
    if client.kind == "DCR" or "code" not in client.flows:
        raise UserError(INVALID, "The app client must have the code flow, and not be of type DCR.")
    changed = replace(
        policy,
        client_id=client.client_id,
        name=body.get("PolicyName", policy.name),
        patterns=tuple(body["URLPatterns"]),
        cache_seconds=body.get("CacheDuration") or policy.cache_seconds,
        modified=pool.clock(),
    )
    with pool.change() as state:
        state.cimd_policies[policy.policy_id] = changed
    _forget_documents(pool, policy)
    return _describe_in_full(pool, changed)


def _forget_documents(pool: Pool, policy: CimdPolicy) -> None:
    with pool.change() as state:
        for url in [*_urls(pool, policy)]:
            del state.metadata_documents[url]


def _urls(pool: Pool, policy: CimdPolicy) -> list[str]:
    documents = pool.state.metadata_documents.items()
    return [url for url, document in documents if document.policy_id == policy.policy_id]


def delete_cimd_policy(pool: Pool, body: Body) -> None:
    _require_plan(pool)
    policy = _find(pool, body)
    _forget_documents(pool, policy)
    with pool.change() as state:
        state.cimd_policies.pop(policy.policy_id, None)


def list_cimd_policies(pool: Pool, body: Body) -> Body:
    described = [_describe(policy) for policy in pool.state.cimd_policies.values()]
    return page(body, "CIMDPolicies", described, limit="MaxResults")


def list_client_metadata_urls(pool: Pool, body: Body) -> Body:
    documents = pool.state.metadata_documents
    described = [
        {
            "URL": url,
            "CachedDate": documents[url].cached_at,
            "ExpirationDate": documents[url].expires_at,
        }
        for url in _urls(pool, _find(pool, body))
    ]
    return page(body, "ClientMetadataURLs", described, limit="MaxResults")


def update_client_metadata_url_state(pool: Pool, body: Body) -> Body:
    """Fetch a cached document again, or delete it from the cache."""
    _require_plan(pool)
    policy, url = _find(pool, body), body["URL"]
    if url not in _urls(pool, policy):
        message = "The URL is not in the cache."
        raise UserError("CachedCIMDURLDoesNotExistException", message)
    if body["Action"] == "INVALIDATE":
        with pool.change() as state:
            state.metadata_documents.pop(url, None)
        return {}
    try:
        cimd.fetch(pool, policy, url)
    except PageError as error:
        raise UserError(INVALID, error.cause) from None
    return {}


OPERATIONS: Operations = {
    "CreateCIMDPolicy": create_cimd_policy,
    "DeleteCIMDPolicy": delete_cimd_policy,
    "DescribeCIMDPolicy": lambda pool, body: _describe_in_full(pool, _find(pool, body)),
    "ListCIMDPolicies": list_cimd_policies,
    "ListClientMetadataURLs": list_client_metadata_urls,
    "UpdateCIMDPolicy": update_cimd_policy,
    "UpdateClientMetadataURLState": update_client_metadata_url_state,
}
