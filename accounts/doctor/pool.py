"""Checks of the pool's public documents: its issuer, its signing keys and its clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from ..cognito.errors import CognitoError, CognitoUnavailable
from ..cognito.jwks import parse_key_set
from ..cognito.transport import Response
from . import pool_findings as findings
from .finding import Finding
from .probe import Probe

MAX_SKEW_SECONDS = 30  # the verifier accepts tokens that are issued up to 60 s in the future


class PoolExamination:
    """The checks of the pool's documents.

    `issuer_in_use` is the issuer of its new tokens, "" if it is not known.

    After them, `hosted_ui` is the origin that the discovery document names, "" if it names none,
    or None if there is no document.
    """

    def __init__(self, probe: Probe, *, issuer_in_use: str = "") -> None:
        self._probe = probe
        self._issuer_in_use = issuer_in_use
        self.hosted_ui: str | None = None

    def problems(self) -> Iterator[Finding]:
        """Yield the findings about the pool."""
        config, url = self._probe.config, self._probe.discovery_url
        if not config.issuer.endswith(f"/{config.pool_id}"):
            yield findings.issuer_of_another_pool(config)
            return  # the documents are those of the other pool
        try:
            sent_at = time.time()
            response = self._probe.discovery()
        except CognitoError as error:
            yield findings.issuer_unreachable(config, url, error.message)
            return
        document = response.json_object()
        if response.status in (400, 404):
            yield findings.pool_unknown(config, url, response.status)
            return
        if response.status != 200 or not isinstance(document.get("issuer"), str):
            reason = f"the response ({response.status}) is not a discovery document"
            yield findings.issuer_unreachable(config, url, reason)
            return
        if document["issuer"] not in config.pool.issuers:
            document = self._document_of_issuer() or document
        if document["issuer"] not in config.pool.issuers:
            yield findings.issuer_differs(config, document["issuer"])
        self.hosted_ui = _origin(document.get("authorization_endpoint"))
        yield from self._check_clock(response, sent_at, url)
        yield from self._check_keys(document)

    def _document_of_issuer(self) -> dict[str, Any] | None:
        """Return the document at the issuer if the one next to the key set is another pool's.

        If there is such a document, COGNITO_JWKS_URL is wrong and COGNITO_ISSUER is correct.
        """
        issuer = self._probe.config.issuer
        try:
            document = self._probe.discovery(issuer).json_object()
        except CognitoError:
            return None
        return document if document.get("issuer") == issuer else None

    def _check_clock(self, response: Response, sent_at: float, url: str) -> Iterator[Finding]:
        try:
            pool_time = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
        except ValueError:
            return  # the response has no Date
        # The pool read its clock at some time between request and response. Only a difference
        # beyond this interval counts.
        local_time = min(max(pool_time, sent_at), time.time())
        if abs(pool_time - local_time) > MAX_SKEW_SECONDS:
            yield findings.clock_skew(round(pool_time - local_time), url)

    def _check_keys(self, document: dict[str, Any]) -> Iterator[Finding]:
        pool = self._probe.config.pool
        issuers = (self._issuer_in_use, document["issuer"], pool.issuer)
        url = next(pool.key_set_urls[issuer] for issuer in issuers if issuer in pool.issuers)
        try:
            key_set = self._fetch(url)
        except CognitoError as error:
            yield findings.keys_unreachable(url, error.message)
            return
        try:
            keys = parse_key_set(key_set)
        except CognitoUnavailable as error:
            yield findings.keys_unusable(url, error.message)
            return
        published_url = document.get("jwks_uri")
        if not isinstance(published_url, str) or published_url == url:
            return
        try:
            published_keys = parse_key_set(self._fetch(published_url))
        except CognitoError:
            return  # the configured URL works; the published one may not be reachable from here
        if not published_keys.keys() & keys.keys():
            yield findings.keys_of_another_pool(url, published_url)

    def _fetch(self, url: str) -> bytes:
        response = self._probe.document(url)
        if response.status != 200:
            raise CognitoUnavailable(f"the response is {response.status}")
        return response.body


def _origin(url: object) -> str:
    if not isinstance(url, str):
        return ""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
