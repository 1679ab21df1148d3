"""The only socket of this package: bounded in time, size and number of tries, and no redirects.

What a caller gets is an answer worth reading (2xx or 4xx) or a CognitoUnavailable; requests' own
errors end here. Only what may be repeated is repeated: an authorization code is used up by the
first request that arrives, so one that carries it is sent again only if no connection came about.
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
from .safe_urls import address_problem, is_loopback
from .transport_errors import may_have_arrived, translated

_MOST_TRIES = 3
_FIRST_PAUSE = 0.2  # seconds; doubles with each try, and a random share of it is waited
_LONGEST_WAIT = 300.0  # seconds of a Retry-After that are passed on
_LARGEST_BODY = 1_048_576  # bytes
# Compression is not worth a bomb in answers this small.
_ACCEPT = {"Accept": "application/json", "Accept-Encoding": "identity"}
_ACCEPT_PAGE = {**_ACCEPT, "Accept": "text/html, application/json;q=0.9, */*;q=0.8"}


@dataclass(frozen=True)
class Response:
    """An answer that was read whole; what may hold tokens or cookies stays out of the repr."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # any case

    def json_object(self) -> dict[str, Any]:
        """Return the members of the JSON object in the body, or none if it is not a JSON object."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


class _Failed(Exception):
    """One try failed. ``arrived`` is False when the request certainly never left this machine."""

    def __init__(self, error: CognitoError, *, again: bool, arrived: bool = True) -> None:
        super().__init__(error)
        self.error = error
        self.again = again
        self.arrived = arrived


class Transport:
    """Sends requests for all threads of a process; connections are kept alive per thread.

    All times are in seconds. ``total_seconds`` bounds a call with all its tries and pauses; the
    last wait for a packet may overrun that by ``read_seconds``: what must outlive a call lasts
    longer than ``longest_call``. Two things come on top: looking up a name, which the operating
    system bounds, and headers that arrive byte by byte. ``now`` is the time of day, for Retry-After
    dates; ``share`` is a random number from 0 to 1.
    """

    def __init__(
        self,
        *,
        connect_seconds: float = 3.0,
        read_seconds: float = 5.0,
        total_seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        share: Callable[[], float] = random.random,
    ) -> None:
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._total_seconds = total_seconds
        self._clock = clock
        self._now = now
        self._sleep = sleep
        self._share = share
        self._local = threading.local()

    @property
    def longest_call(self) -> float:
        return self._total_seconds + self._read_seconds

    def get(self, url: str, *, timeout: float | None = None) -> bytes:
        """Download a public document; ``timeout`` replaces ``total_seconds``.

        Raises:
            CognitoUnavailable: it cannot be had.
            ConfigurationError: the address, or a proxy, cannot be used at all.
        """
        request = requests.Request("GET", url, headers=_ACCEPT, auth=_as_it_is)
        response = self._send(request, repeatable=True, timeout=timeout)
        if response.status != 200:
            message = f"Cognito answered {response.status}"
            raise CognitoUnavailable(message, status=response.status)
        return response.body

    def probe(self, url: str, query: Mapping[str, str], *, timeout: float = 5.0) -> Response:
        """What a browser would be told first: any status counts as an answer, also a redirect.

        For finding out what is set up wrongly. The redirect is reported, never followed.

        Raises:
            CognitoUnavailable: nothing answers there.
            ConfigurationError: the address, or a proxy, cannot be used at all.
        """
        request = requests.Request("GET", url, params=query, headers=_ACCEPT_PAGE, auth=_as_it_is)
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
        """Post a form; ``authorization`` is the header's whole value, ``timeout`` as for get.

        Raises:
            CognitoUnavailable: no answer worth reading.
            ConfigurationError: the address, or a proxy, cannot be used at all.
        """
        headers = {**_ACCEPT, "Authorization": authorization} if authorization else _ACCEPT
        request = requests.Request("POST", url, headers=headers, data=fields, auth=_as_it_is)
        return self._send(request, repeatable=repeatable, timeout=timeout)

    def _send(
        self,
        request: requests.Request,
        *,
        repeatable: bool,
        timeout: float | None,
        any_status: bool = False,
    ) -> Response:
        if problem := address_problem(request.url):
            raise ConfigurationError({request.url: problem})
        ends_at = self._clock() + (self._total_seconds if timeout is None else timeout)
        tries = 0
        while True:
            try:
                return self._try_once(request, ends_at, any_status)
            except _Failed as failed:
                tries += 1
                pause = self._pause(failed, tries)
                may_repeat = failed.again and (repeatable or not failed.arrived)
                if not may_repeat or tries == _MOST_TRIES or self._clock() + pause >= ends_at:
                    raise failed.error from failed.__cause__
            self._sleep(pause)

    def _pause(self, failed: _Failed, tries: int) -> float:
        asked_for = failed.error.data.get("retry_after") or 0.0
        return float(asked_for + self._share() * _FIRST_PAUSE * 2 ** (tries - 1))

    def _try_once(self, request: requests.Request, ends_at: float, any_status: bool) -> Response:
        remaining = max(ends_at - self._clock(), 0.001)
        limits = (min(self._connect_seconds, remaining), min(self._read_seconds, remaining))
        session = self._session()
        environment = session.merge_environment_settings(request.url, {}, True, None, None)
        if is_loopback(request.url):
            environment["proxies"] = {}  # a company's proxy has no way to this machine
        try:
            with session.send(
                session.prepare_request(request),
                **environment,
                timeout=limits,
                allow_redirects=False,
            ) as answer:
                if not any_status:
                    self._refuse_status(answer)
                body = self._read(answer, ends_at)
                return Response(answer.status_code, body, answer.headers)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            known = translated(error)
            again = isinstance(known, CognitoUnavailable)
            raise _Failed(known, again=again, arrived=may_have_arrived(error)) from error

    def _session(self) -> requests.Session:
        """This thread's session. One made before a fork would share its connections: not used."""
        process = os.getpid()
        if getattr(self._local, "process", None) != process:
            session = requests.Session()
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # keep none
            self._local.session, self._local.process = session, process
        return cast(requests.Session, self._local.session)

    def _refuse_status(self, answer: requests.Response) -> None:
        status = answer.status_code
        if status in {408, 429} or status >= 500:
            error = CognitoUnavailable(
                f"Cognito answered {status}",
                retry_after=self._retry_after(answer.headers.get("Retry-After", "")),
                status=status,
            )
            raise _Failed(error, again=True)
        if not (200 <= status < 300 or 400 <= status < 500):
            # Following a redirect would carry credentials to an address nobody configured.
            error = CognitoUnavailable(f"Cognito answered {status}, a redirect", status=status)
            raise _Failed(error, again=False)

    def _retry_after(self, header: str) -> float | None:
        """Seconds to wait (RFC 9110 section 10.2.3), at most _LONGEST_WAIT; None when not said."""
        try:
            if header.isdigit():
                seconds = float(header)
            else:
                seconds = parsedate_to_datetime(header).timestamp() - self._now()
        except (ValueError, OverflowError):
            return None
        return min(max(seconds, 0.0), _LONGEST_WAIT)

    def _read(self, answer: requests.Response, ends_at: float) -> bytes:
        # read1 returns with each packet, so that a trickle cannot outlast the deadline.
        body = bytearray()
        while packet := answer.raw.read1(65_536, decode_content=False):
            body += packet
            if len(body) > _LARGEST_BODY:
                raise _Failed(CognitoUnavailable("Cognito's answer is too large"), again=False)
            if self._clock() >= ends_at:
                raise _Failed(CognitoUnavailable("Cognito did not answer in time"), again=False)
        return bytes(body)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    # Given as ``auth``, else requests would put what ~/.netrc says over our own header.
    return request
