"""Checks of the hosted UI and the app client, with the requests of a browser and of this site."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from ..cognito.errors import (
    ClientRejected,
    CognitoError,
    CognitoUnavailable,
    GrantRejected,
    RequestRejected,
)
from . import app_client_findings, pool_findings
from .finding import Finding
from .probe import Probe, Reply, Verdict
from .url_variants import near_variants

_UNAVAILABLE = b"login pages unavailable"


@dataclass(frozen=True, kw_only=True)
class SiteUrls:
    """The URLs of this site that must be registered, and the public app client.

    They are the URLs at which users reach the site, through all proxies.
    """

    callback: str
    signed_out: str
    public_client_id: str = ""
    docs_callback: str = ""
    spa_callbacks: tuple[str, ...] = ()


class ClientExamination:
    """The checks of the app client. `hosted_ui` is that of PoolExamination."""

    def __init__(self, probe: Probe, urls: SiteUrls, hosted_ui: str | None) -> None:
        self._probe = probe
        self._config = probe.config
        self._urls = urls
        self._hosted_ui = hosted_ui

    def problems(self) -> Iterator[Finding]:
        """Yield the findings about the app client and its hosted UI."""
        config, callback = self._config, self._urls.callback
        try:
            reply = self._probe.authorize(callback, scopes=config.scopes)
        except CognitoError as error:
            yield pool_findings.domain_unreachable(config, error.message, self._hosted_ui)
            return
        if reply.verdict is Verdict.NOT_COGNITO:
            yield pool_findings.domain_not_hosted_ui(config, config.authorize_endpoint)
            return
        refusal = self._probe.exchange(callback)
        is_page = reply.verdict is Verdict.ACCEPTED and not reply.location
        if is_page and isinstance(refusal, CognitoUnavailable):
            # Some emulators show a page without a redirect, but so does any other web site.
            yield pool_findings.domain_not_hosted_ui(config, config.authorize_endpoint)
            return
        if reply.verdict is Verdict.REFUSED:
            yield self._explain_refusal(reply, refusal)
            return
        yield from self._check_credentials(refusal, reply)
        registered = callback
        if reply.verdict is Verdict.MISMATCH:
            registered = self._registered_variant(callback, self._probe.authorize)
            yield app_client_findings.callback_not_registered(config, callback, registered)
            if registered:
                reply = self._probe.authorize(registered, scopes=config.scopes)
        yield from self._check_flow_and_scopes(reply, registered)
        yield from self._check_login_page(reply)
        yield from self._check_sign_out()
        yield from self._check_spa_callbacks()
        yield from self._check_public_client()

    def _explain_refusal(self, reply: Reply, refusal: CognitoError | None) -> Finding:
        """Return the cause of Cognito's error page. It is usually an unknown app client."""
        config = self._config
        if not isinstance(refusal, ClientRejected):
            return app_client_findings.authorize_refused(config, reply.error, reply.description)
        if self._hosted_ui and self._hosted_ui != config.domain:
            return pool_findings.domain_of_another_pool(config, self._hosted_ui)
        return app_client_findings.client_unknown(config)

    def _check_credentials(self, refusal: CognitoError | None, reply: Reply) -> Iterator[Finding]:
        config = self._config
        if refusal is None or isinstance(refusal, GrantRejected):
            return
        if isinstance(refusal, ClientRejected):
            without_secret = self._probe.exchange(
                self._urls.callback, public_client_id=config.client_id
            )
            if isinstance(without_secret, GrantRejected | RequestRejected):
                yield app_client_findings.client_without_secret(config)
            else:
                yield app_client_findings.secret_refused(config)
        elif isinstance(refusal, CognitoUnavailable):
            yield app_client_findings.token_endpoint_unavailable(config, refusal.message)
        elif reply.verdict is Verdict.ACCEPTED:  # else the authorize endpoint shows the same cause
            yield app_client_findings.token_request_refused(config, str(refusal.data.get("error")))

    def _check_flow_and_scopes(self, reply: Reply, registered: str) -> Iterator[Finding]:
        config = self._config
        if reply.verdict is not Verdict.RETURNED_ERROR:
            return
        if reply.error == "unauthorized_client":
            yield app_client_findings.code_flow_off(config)
        elif "invalid_scope" in (reply.error, reply.description):
            # Cognito does not name the scope, so each is tried. It may be openid itself.
            for scope in config.scopes:
                scopes = tuple(dict.fromkeys(("openid", scope)))
                scope_reply = self._probe.authorize(registered, scopes=scopes)
                if "invalid_scope" in (scope_reply.error, scope_reply.description):
                    yield app_client_findings.scope_not_allowed(config, scope)
                    if scope == "openid":
                        return
        else:
            yield app_client_findings.authorize_refused(config, reply.error, reply.description)

    def _check_login_page(self, reply: Reply) -> Iterator[Finding]:
        is_own_page = reply.location.startswith(f"{self._config.domain}/")
        if reply.verdict is not Verdict.ACCEPTED or not is_own_page:
            return
        try:
            page = self._probe.document(reply.location)
        except CognitoError as error:
            yield pool_findings.domain_unreachable(self._config, error.message, self._hosted_ui)
            return
        if page.status >= 400 or _UNAVAILABLE in page.body.lower():
            yield pool_findings.login_pages_unavailable(self._config, page.status)

    def _check_sign_out(self) -> Iterator[Finding]:
        url = self._urls.signed_out
        if self._probe.logout(url).verdict is not Verdict.ACCEPTED:
            registered = self._registered_variant(url, self._probe.logout)
            yield app_client_findings.sign_out_not_registered(self._config, url, registered)

    def _registered_variant(self, url: str, send: Callable[[str], Reply]) -> str:
        """Return the variant of `url` that is registered, or "" if none is."""
        verdicts = (Verdict.ACCEPTED, Verdict.RETURNED_ERROR)
        return next((near for near in near_variants(url) if send(near).verdict in verdicts), "")

    def _check_spa_callbacks(self) -> Iterator[Finding]:
        send = self._probe.authorize
        for url in self._urls.spa_callbacks:
            if send(url).verdict is Verdict.MISMATCH:
                registered = self._registered_variant(url, send)
                yield app_client_findings.spa_callback_not_registered(self._config, url, registered)

    def _check_public_client(self) -> Iterator[Finding]:
        client_id, callback = self._urls.public_client_id, self._urls.docs_callback
        if not client_id:
            return
        refusal = self._probe.exchange(callback or self._urls.callback, public_client_id=client_id)
        if isinstance(refusal, ClientRejected):
            yield app_client_findings.public_client_unusable(self._config, client_id)
        elif callback:
            send = partial(self._probe.authorize, client_id=client_id)
            if send(callback).verdict is Verdict.MISMATCH:
                registered = self._registered_variant(callback, send)
                yield app_client_findings.public_callback_not_registered(
                    self._config, client_id, callback, registered
                )
