"""Client-ID metadata documents: an ``https`` URL as ``client_id``, which stands for an app client.

A policy maps URL patterns to one client. Cognito fetches the document during authorize. The local
pool only fetches from this machine: from http://localhost:PORT for https://localhost:PORT, and
from where ``metadata_hosts`` says for other hosts. Redirects are not followed. Where Cognito is not
documented, tokens have the URL as ``client_id`` and ``aud``.
https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-client-id-metadata.html
"""

import re
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from .config_checks import can_register
from .declarations import LOOPBACK, Client, split_url
from .errors import PageError
from .pool import Pool
from .records import CimdPolicy, MetadataDocument

MIN_CACHE_SECONDS, MAX_CACHE_SECONDS = 86_400, 31_556_952
MAX_BYTES = 64 * 1024
TIMEOUT_SECONDS = 5


def find_client(pool: Pool, client_id: str) -> Client | None:
    """Return an app client, also one whose metadata document has been fetched, or None."""
    document = pool.state.metadata_documents.get(client_id)
    if document is None:
        return pool.clients.get(client_id)
    policy = pool.state.cimd_policies.get(document.policy_id)
    client = pool.clients.get(policy.client_id) if policy else None
    return _client(client, client_id, document.metadata) if client else None


def resolve(pool: Pool, url: str) -> Client | None:
    """Return the client of a URL at the authorize endpoint, and fetch the document if necessary.

    Raises PageError for a document that cannot be used.
    """
    policy = _policy(pool, url)
    if policy is None or policy.client_id not in pool.clients or pool.config.plan == "lite":
        return None
    document = pool.state.metadata_documents.get(url)
    if document is None or document.expires_at <= pool.clock():
        fetch(pool, policy, url)
    return find_client(pool, url)


def _policy(pool: Pool, url: str) -> CimdPolicy | None:
    for policy in pool.state.cimd_policies.values():
        if any(_matches(pattern, url) for pattern in policy.patterns):
            return policy
    return None


def _matches(pattern: str, url: str) -> bool:
    """Return True if the URL is the pattern, in which ``*`` is any text without a slash."""
    expected, actual = pattern.split("/"), url.split("/")
    return len(expected) == len(actual) and all(map(fnmatchcase, actual, expected))


def fetch(pool: Pool, policy: CimdPolicy, url: str) -> None:
    """Fetch the document of a URL, and store it. Raises PageError."""
    import requests  # here, because most pools never fetch

    parts = split_url(url)
    hosts = dict(entry.split("=", 1) for entry in pool.config.metadata_hosts)
    source = hosts.get(parts.netloc)
    if source is None and parts.hostname in LOOPBACK:
        source = f"http://{parts.netloc}"
    if source is None:
        raise _refuse(f"the local pool fetches nothing from {parts.netloc}: see metadata_hosts")
    address = source + url.removeprefix(f"https://{parts.netloc}")
    try:
        response = requests.get(address, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        metadata = response.json() if len(response.content) <= MAX_BYTES else None
    except (requests.RequestException, ValueError):
        raise _refuse(f"{address} did not return JSON") from None
    if response.status_code != requests.codes.ok or not isinstance(metadata, dict):
        raise _refuse(f"{address} returned {response.status_code}, or no JSON object")
    _check(url, metadata)
    age = re.search(r"max-age=(\d+)", response.headers.get("Cache-Control", ""))
    seconds, now = int(age[1]) if age else 0, pool.clock()
    if not MIN_CACHE_SECONDS <= seconds <= MAX_CACHE_SECONDS:
        seconds = policy.cache_seconds
    document = MetadataDocument(policy.policy_id, metadata, now, now + seconds)
    with pool.change() as state:
        state.metadata_documents[url] = document


def _check(url: str, metadata: dict[str, Any]) -> None:
    """Raise PageError unless the document describes a public client with this URL."""
    if metadata.get("client_id") != url:
        raise _refuse("client_id in the document is not its URL")
    if metadata.get("token_endpoint_auth_method", "none") != "none":
        raise _refuse("token_endpoint_auth_method in the document must be none")
    urls = metadata.get("redirect_uris")
    if not isinstance(urls, list) or not urls:
        raise _refuse("redirect_uris is missing in the document")
    if not all(isinstance(entry, str) and can_register(entry) for entry in urls):
        raise _refuse("a URL of redirect_uris in the document cannot be registered")
    if not isinstance(metadata.get("grant_types", []), list):
        raise _refuse("grant_types in the document must be a list")


def _client(mapped: Client, url: str, metadata: dict[str, Any]) -> Client:
    """Return the client of a document. It can only do what the mapped client can do, too."""
    grants = metadata.get("grant_types") or ["authorization_code"]
    scopes = str(metadata.get("scope") or " ".join(mapped.scopes)).split()
    return replace(
        mapped,
        client_id=url,
        secret=None,
        flows=tuple(f for f in mapped.flows if f == "code" and "authorization_code" in grants),
        scopes=tuple(scope for scope in mapped.scopes if scope in scopes),
        callback_urls=tuple(metadata["redirect_uris"]),
        logout_urls=(),
        name=str(metadata.get("client_name") or url)[:128],
        auth_flows=(),
    )


def _refuse(cause: str) -> PageError:
    return PageError("invalid_request", cause=cause)
