"""The HTTP client of this package. It limits time, size and tries, and follows no redirects.

A call returns a response with status 2xx or 4xx, or raises CognitoUnavailable, never an error of
requests. Only repeatable requests are repeated. The first request that reaches Cognito uses up an
authorization code, so such a request is repeated only if no connection was made.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, cast

import requests
import urllib3.exceptions

from .errors import CognitoError, CognitoUnavailable, ConfigurationError
from .safe_urls import is_loopback, url_problem
from .transport_errors import may_have_arrived, to_cognito_error, without_frames

_MAX_TRIES = 3
_FIRST_PAUSE_SECONDS = 0.2  # seconds; it doubles with each try and is multiplied by the jitter
_MAX_WAIT_SECONDS = 300.0  # seconds; a longer Retry-After is shortened
_MAX_BODY_BYTES = 1_048_576  # bytes
# Responses are small, and without compression there are no decompression bombs.
_ACCEPT = {"Accept": "application/json", "Accept-Encoding": "identity"}
_ACCEPT_PAGE = {**_ACCEPT, "Accept": "text/html, application/json;q=0.9, */*;q=0.8"}


@dataclass(frozen=True)
class Response:
    """A response with its whole body. Its repr has no body and headers: they may contain tokens."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # case-insensitive

    def json_object(self) -> dict[str, Any]:
        """Return the members of the JSON object in the body, or none if it is not a JSON object."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


class _Failure(Exception):
    """A failed try. ``may_have_arrived`` is False if the request certainly reached no server."""

    def __init__(
        self, error: CognitoError, *, is_temporary: bool, may_have_arrived: bool = True
    ) -> None:
        super().__init__(error)
        self.error = error
        self.is_temporary = is_temporary
        self.may_have_arrived = may_have_arrived


class Transport:
    """An HTTP client for all threads of a process, with persistent connections per thread.

    All times are in seconds. ``total_seconds`` limits a call with all its tries and pauses. The
    last read may exceed it by ``read_seconds``: ``max_call_seconds`` is the sum. Not included are
    name resolution, which the operating system limits, and headers that arrive byte by byte.
    ``now`` returns Unix time, for Retry-After dates. ``jitter`` returns a number from 0 to 1.

    Every call raises ConfigurationError if the URL or a proxy setting is not valid, and
    CognitoUnavailable without a usable status: 2xx or 4xx, for a document 200, for `probe` any.
    """

    def __init__(
        self,
        *,
        connect_seconds: float = 3.0,
        read_seconds: float = 5.0,
        total_seconds: float = 10.0,
        clock: Callable[[], float] = lambda: time.monotonic(),
        now: Callable[[], float] = lambda: time.time(),
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self.total_seconds = total_seconds
        self._clock = clock
        self._now = now
        self._sleep = sleep
        self._jitter = jitter
        self._local = threading.local()

    @property
    def max_call_seconds(self) -> float:
        return self.total_seconds + self._read_seconds

    def get(self, url: str, *, timeout: float | None = None) -> bytes:
        """Download a public document. ``timeout`` replaces ``total_seconds``."""
        request = requests.Request("GET", url, headers=_ACCEPT, auth=_keep_headers)
        response = self._send(request, repeatable=True, timeout=timeout)
        if response.status != 200:
            message = f"Cognito responded with {response.status}"
            raise CognitoUnavailable(message, status=response.status)
        return response.body

    def probe(self, url: str, query: Mapping[str, str], *, timeout: float = 5.0) -> Response:
        """Return the first response that a browser would get, with any status.

        It serves to find wrong settings. A redirect is returned and not followed.
        """
        request = requests.Request(
            "GET", url, params=query, headers=_ACCEPT_PAGE, auth=_keep_headers
        )
        return self._send(request, repeatable=False, timeout=timeout, any_status=True)

    def post_form(
        self,
        url: str,
        fields: Mapping[str, str],
        *,
        authorization: str = "",
        repeatable: bool,
        timeout: float | None = None,
    ) -> Response:
        """Send a form. ``authorization`` is the header's value, ``timeout`` is that of `get`."""
        headers = {**_ACCEPT, "Authorization": authorization} if authorization else _ACCEPT
        request = requests.Request("POST", url, headers=headers, data=fields, auth=_keep_headers)
        return self._send(request, repeatable=repeatable, timeout=timeout)

    def post_json(
        self, url: str, body: Mapping[str, str], *, target: str, timeout: float | None = None
    ) -> Response:
        """Call an operation of an AWS API that needs no signature and can be repeated.

        ``target`` is the operation in the protocol AWS JSON 1.1.
        """
        headers = {**_ACCEPT, "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
        data = json.dumps(body)
        request = requests.Request("POST", url, headers=headers, data=data, auth=_keep_headers)
        return self._send(request, repeatable=True, timeout=timeout)

    def _send(
        self,
        request: requests.Request,
        *,
        repeatable: bool,
        timeout: float | None,
        any_status: bool = False,
    ) -> Response:
        if problem := url_problem(request.url):
            raise ConfigurationError({request.url: problem})
        ends_at = self._clock() + (self.total_seconds if timeout is None else timeout)
        tries = 0
        while True:
            try:
                return self._try_once(request, ends_at, any_status)
            except _Failure as failure:
                tries += 1
                pause = self._pause(failure, tries)
                can_repeat = failure.is_temporary and (repeatable or not failure.may_have_arrived)
                if not can_repeat or tries == _MAX_TRIES or self._clock() + pause >= ends_at:
                    raise failure.error from failure.__cause__
            self._sleep(pause)

    def _pause(self, failure: _Failure, tries: int) -> float:
        retry_after = failure.error.data.get("retry_after") or 0.0
        return float(retry_after + self._jitter() * _FIRST_PAUSE_SECONDS * 2 ** (tries - 1))

    def _try_once(self, request: requests.Request, ends_at: float, any_status: bool) -> Response:
        remaining = max(ends_at - self._clock(), 0.001)
        limits = (min(self._connect_seconds, remaining), min(self._read_seconds, remaining))
        session = self._session()
        environment = session.merge_environment_settings(request.url, {}, True, None, None)
        if is_loopback(request.url):
            environment["proxies"] = {}  # a proxy cannot reach this machine
        try:
            with session.send(
                session.prepare_request(request),
                **environment,
                timeout=limits,
                allow_redirects=False,
            ) as response:
                if not any_status:
                    self._check_status(response)
                body = self._read(response, ends_at)
                return Response(response.status_code, body, response.headers)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            cognito_error = to_cognito_error(error)
            raise _Failure(
                cognito_error,
                is_temporary=isinstance(cognito_error, CognitoUnavailable),
                may_have_arrived=may_have_arrived(error),
            ) from without_frames(error)

    def _session(self) -> requests.Session:
        """Return this thread's session. A forked process gets a new one, as it shares sockets."""
        process = os.getpid()
        if getattr(self._local, "process", None) != process:
            session = requests.Session()
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # store no cookies
            self._local.session, self._local.process = session, process
        return cast(requests.Session, self._local.session)

    def _check_status(self, response: requests.Response) -> None:
        status = response.status_code
        if status in {408, 429} or status >= 500:
            error = CognitoUnavailable(
                f"Cognito responded with {status}",
                retry_after=self._retry_after(response.headers.get("Retry-After", "")),
                status=status,
            )
            raise _Failure(error, is_temporary=True)
        if not (200 <= status < 300 or 400 <= status < 500):
            # Following a redirect would send credentials to a URL that is not configured.
            message = f"Cognito responded with {status}, a redirect"
            raise _Failure(CognitoUnavailable(message, status=status), is_temporary=False)

    def _retry_after(self, header: str) -> float | None:
        """Return the seconds of a Retry-After (RFC 9110 section 10.2.3), or None if it has none."""
        try:
            if header.isdigit():
                seconds = float(header)
            else:
                seconds = parsedate_to_datetime(header).timestamp() - self._now()
        except (ValueError, OverflowError):
            return None
        return min(max(seconds, 0.0), _MAX_WAIT_SECONDS)

    def _read(self, response: requests.Response, ends_at: float) -> bytes:
        # read1 returns with each packet, so that slow packets cannot exceed the deadline.
        body = bytearray()
        while packet := response.raw.read1(65_536, decode_content=False):
            body += packet
            if len(body) > _MAX_BODY_BYTES:
                error = CognitoUnavailable("Cognito's response is too large")
                raise _Failure(error, is_temporary=False)
            if self._clock() >= ends_at:
                error = CognitoUnavailable("Cognito did not respond in time")
                raise _Failure(error, is_temporary=False)
        return bytes(body)


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    # Passed as ``auth``: otherwise requests replaces our Authorization header from ~/.netrc.
    return request
