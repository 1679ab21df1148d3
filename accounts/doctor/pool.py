"""The pool's public documents: who it says it is, its keys, its time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from ..cognito.errors import CognitoError, CognitoUnavailable
from ..cognito.jwks import KeySet, parse_key_set
from ..cognito.transport import Response
from . import pool_findings as findings
from .finding import Finding
from .probe import Probe

MOST_SKEW = 30  # seconds; the verifier forgives 60 for a token that was issued just now


class PoolExamination:
    """Checks the pool's documents.

    `hosted_ui` is what the discovery document names afterwards: empty when it names none, None when
    there was no such document.
    """

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self.hosted_ui: str | None = None

    def problems(self) -> Iterator[Finding]:
        config, address = self._probe.config, self._probe.discovery_address
        if not config.issuer.endswith(f"/{config.pool_id}"):
            yield findings.issuer_of_another_pool(config)
            return  # what stands there is about that one
        try:
            asked_at = time.time()
            answer = self._probe.discovery()
        except CognitoError as error:
            yield findings.issuer_unreachable(config, address, error.message)
            return
        document = answer.json_object()
        if answer.status in (400, 404):
            yield findings.pool_unknown(config, address, answer.status)
            return
        if answer.status != 200 or not isinstance(document.get("issuer"), str):
            reason = f"the answer ({answer.status}) is no discovery document"
            yield findings.issuer_unreachable(config, address, reason)
            return
        if document["issuer"] != config.issuer:
            document = self._document_of_the_issuer() or document
        if document["issuer"] != config.issuer:
            yield findings.issuer_differs(config, document["issuer"])
        self.hosted_ui = _origin(document.get("authorization_endpoint"))
        yield from self._clock(answer, asked_at, address)
        yield from self._keys(document)

    def _document_of_the_issuer(self) -> dict[str, Any] | None:
        """The issuer's own document where that beside the keys is another pool's.

        If there is one, COGNITO_JWKS_URL is what is wrong, and not COGNITO_ISSUER.
        """
        issuer = self._probe.config.issuer
        try:
            document = self._probe.discovery(issuer).json_object()
        except CognitoError:
            return None
        return document if document.get("issuer") == issuer else None

    def _clock(self, answer: Response, asked_at: float, address: str) -> Iterator[Finding]:
        try:
            theirs = parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()
        except ValueError:
            return  # it doesn't tell the time
        # Between question and answer their clock may have shown anything: count what is beyond.
        ours = min(max(theirs, asked_at), time.time())
        if abs(theirs - ours) > MOST_SKEW:
            yield findings.clock_skew(round(theirs - ours), address)

    def _keys(self, document: dict[str, Any]) -> Iterator[Finding]:
        config = self._probe.config
        try:
            keys = self._key_set(config.jwks_url)
        except CognitoUnavailable as error:
            kind = findings.keys_unusable if "key set" in error.message else None
            yield (kind or findings.keys_unreachable)(config, error.message)
            return
        published = document.get("jwks_uri")
        if not isinstance(published, str) or published == config.jwks_url:
            return
        try:
            others = self._key_set(published)
        except CognitoError:
            return  # ours can be had; theirs may stand where this machine can't reach
        if not others.keys() & keys.keys():
            yield findings.keys_of_another_pool(config, published)

    def _key_set(self, address: str) -> KeySet:
        answer = self._probe.document(address)
        if answer.status != 200:
            raise CognitoUnavailable(f"the answer is {answer.status}")
        return parse_key_set(answer.body)


def _origin(address: object) -> str:
    if not isinstance(address, str):
        return ""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
