"""The hosted UI and the app client, asked as a browser and as this site would ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from ..cognito.errors import ClientRejected, CognitoError, CognitoUnavailable, GrantRejected
from ..cognito.errors import RequestRejected as Refused
from . import app_client_findings, pool_findings
from .finding import Finding
from .probe import Probe, Reply, Verdict
from .url_variants import near_variants

_UNAVAILABLE = b"login pages unavailable"


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """What this site sends and must find registered, as people reach it."""

    callback: str
    signed_out: str
    public_client_id: str = ""
    docs_callback: str = ""
    spa_callbacks: tuple[str, ...] = ()


class ClientExamination:
    """Checks the app client; `hosted_ui` as PoolExamination knows it."""

    def __init__(self, probe: Probe, addresses: Addresses, hosted_ui: str | None) -> None:
        self._probe = probe
        self._config = probe.config
        self._addresses = addresses
        self._hosted_ui = hosted_ui

    def problems(self) -> Iterator[Finding]:
        config, callback = self._config, self._addresses.callback
        try:
            reply = self._probe.authorize(callback, scopes=config.scopes)
        except CognitoError as error:
            yield pool_findings.domain_unreachable(config, error.message, self._hosted_ui)
            return
        if reply.verdict is Verdict.FOREIGN:
            yield pool_findings.domain_not_hosted_ui(config, config.authorize_endpoint)
            return
        refusal = self._probe.exchange(callback)
        shown = reply.verdict is Verdict.ACCEPTED and not reply.location
        if shown and isinstance(refusal, CognitoUnavailable):
            # A page at once is what some emulators show, and every other web site.
            yield pool_findings.domain_not_hosted_ui(config, config.authorize_endpoint)
            return
        if reply.verdict is Verdict.REFUSED:
            yield self._refused(reply, refusal)
            return
        yield from self._credentials(refusal, reply)
        registered = callback
        if reply.verdict is Verdict.MISMATCH:
            registered = self._registered_instead(callback, self._probe.authorize)
            yield app_client_findings.callback_not_registered(config, callback, registered)
            if registered:
                reply = self._probe.authorize(registered, scopes=config.scopes)
        yield from self._flow_and_scopes(reply, registered)
        yield from self._login_page(reply)
        yield from self._sign_out()
        yield from self._spa_callbacks()
        yield from self._public_client()

    def _refused(self, reply: Reply, refusal: CognitoError | None) -> Finding:
        """Cognito's own error page, and not for the address: mostly nobody there knows us."""
        config = self._config
        if not isinstance(refusal, ClientRejected):
            return app_client_findings.authorize_refused(config, reply.error, reply.description)
        if self._hosted_ui and self._hosted_ui != config.domain:
            return pool_findings.domain_of_another_pool(config, self._hosted_ui)
        return app_client_findings.client_unknown(config)

    def _credentials(self, refusal: CognitoError | None, reply: Reply) -> Iterator[Finding]:
        config = self._config
        if refusal is None or isinstance(refusal, GrantRejected):
            return
        if isinstance(refusal, ClientRejected):
            bare = self._probe.exchange(self._addresses.callback, public_client_id=config.client_id)
            public = isinstance(bare, GrantRejected | Refused)
            kind = app_client_findings.client_without_secret if public else None
            yield (kind or app_client_findings.secret_refused)(config)
        elif isinstance(refusal, CognitoUnavailable):
            yield app_client_findings.token_endpoint_unavailable(config, refusal.message)
        elif reply.verdict is Verdict.ACCEPTED:  # else the same cause is found at authorize
            yield app_client_findings.token_request_refused(config, str(refusal.data.get("error")))

    def _flow_and_scopes(self, reply: Reply, registered: str) -> Iterator[Finding]:
        config = self._config
        if reply.verdict is not Verdict.SENT_BACK:
            return
        if reply.error == "unauthorized_client":
            yield app_client_findings.code_flow_off(config)
        elif "invalid_scope" in (reply.error, reply.description):
            # Cognito doesn't say which one: ask for each. openid alone may be the one, too.
            for scope in config.scopes:
                asked = tuple(dict.fromkeys(("openid", scope)))
                again = self._probe.authorize(registered, scopes=asked)
                if "invalid_scope" in (again.error, again.description):
                    yield app_client_findings.scope_not_allowed(config, scope)
                    if scope == "openid":
                        return
        else:
            yield app_client_findings.authorize_refused(config, reply.error, reply.description)

    def _login_page(self, reply: Reply) -> Iterator[Finding]:
        own = reply.location.startswith(f"{self._config.domain}/")
        if reply.verdict is not Verdict.ACCEPTED or not own:
            return
        try:
            page = self._probe.document(reply.location)
        except CognitoError as error:
            yield pool_findings.domain_unreachable(self._config, error.message, self._hosted_ui)
            return
        if page.status >= 400 or _UNAVAILABLE in page.body.lower():
            yield pool_findings.login_pages_unavailable(self._config, page.status)

    def _sign_out(self) -> Iterator[Finding]:
        sent = self._addresses.signed_out
        if self._probe.logout(sent).verdict is not Verdict.ACCEPTED:
            registered = self._registered_instead(sent, self._probe.logout)
            yield app_client_findings.sign_out_not_registered(self._config, sent, registered)

    def _registered_instead(self, sent: str, ask: Callable[[str], Reply]) -> str:
        """The near variant that is registered, or an empty text."""
        known = (Verdict.ACCEPTED, Verdict.SENT_BACK)
        return next((near for near in near_variants(sent) if ask(near).verdict in known), "")

    def _spa_callbacks(self) -> Iterator[Finding]:
        ask = self._probe.authorize
        for address in self._addresses.spa_callbacks:
            if ask(address).verdict is Verdict.MISMATCH:
                registered = self._registered_instead(address, ask)
                yield app_client_findings.spa_callback_not_registered(
                    self._config, address, registered
                )

    def _public_client(self) -> Iterator[Finding]:
        client_id, callback = self._addresses.public_client_id, self._addresses.docs_callback
        if not client_id:
            return
        refusal = self._probe.exchange(
            callback or self._addresses.callback, public_client_id=client_id
        )
        if isinstance(refusal, ClientRejected):
            yield app_client_findings.public_client_unusable(self._config, client_id)
        elif callback:
            ask = partial(self._probe.authorize, client_id=client_id)
            if ask(callback).verdict is Verdict.MISMATCH:
                registered = self._registered_instead(callback, ask)
                yield app_client_findings.public_callback_not_registered(
                    self._config, client_id, callback, registered
                )
