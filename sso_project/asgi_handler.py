"""Django's ASGI handler, with a thread only for requests that need one.

Django's own handler starts a thread for each request, for the signals at its beginning and its end.
The thread opens database connections of its own, and ends with the request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from io import BytesIO
from queue import Empty, Full, LifoQueue
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, reset_queries
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

_idle: LifoQueue[ThreadPoolExecutor] = LifoQueue(settings.SERVER["THREADS"])


class RequestThread(Executor):
    """The thread of one request, taken from earlier requests when it is first needed.

    So its database connections stay open, as those of a WSGI server's threads.
    """

    def __init__(self) -> None:
        self._worker: ThreadPoolExecutor | None = None

    @property
    def is_used(self) -> bool:
        return self._worker is not None

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self._worker is None:
            try:
                self._worker = _idle.get_nowait()
            except Empty:
                self._worker = ThreadPoolExecutor(1, "request")
            self._worker.submit(_prepare_connections)
        return self._worker.submit(function, *args, **kwargs)

    def release(self) -> None:
        if self._worker is not None:
            # Submitted, because a view may still run there after its client disconnected.
            self._worker.submit(_release, self._worker)


def _prepare_connections() -> None:
    reset_queries()
    close_old_connections()


def _release(worker: ThreadPoolExecutor) -> None:
    try:
        _idle.put_nowait(worker)
    except Full:
        worker.shutdown(wait=False)


class EventLoopHandler(ASGIHandler):
    """Django's handler behind `AsgiRequestGuard`, which reads the body.

    The signals are sent in the request's thread if it has one or if an application receives them,
    else in the event loop. Tasks that outlive their request cannot use its thread.
    """

    def __init__(self) -> None:
        super().__init__()
        self._known_receivers: dict[Any, tuple[list[Any], bool]] = {}  # by signal

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)  # raises ValueError
            return
        thread = RequestThread()
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self._handle(scope, receive, send, thread)
        finally:
            thread.release()

    async def _handle(
        self, scope: Any, receive: Receive, send: Send, thread: RequestThread
    ) -> None:
        set_script_prefix(get_script_prefix(scope))
        if self._has_other_receivers(request_started):
            await request_started.asend(sender=self.__class__, scope=scope)
        else:
            request_started.send(sender=self.__class__, scope=scope)
        body = BytesIO((await receive()).get("body", b""))
        request: Any
        response: Any
        request, response = self.create_request(scope, body)
        task: Any = asyncio.current_task()
        watchers: list[asyncio.Task[None]] = []

        def watch() -> None:
            watchers.append(asyncio.create_task(self._cancel_at_disconnect(task, receive)))

        # It runs if the request waits for something, which few API calls do.
        start = asyncio.get_running_loop().call_soon(watch)
        try:
            if request is not None:
                response = await self.run_get_response(request)
            await self.send_response(response, send)
        except asyncio.CancelledError:
            is_disconnected = any(watcher.done() for watcher in watchers)
            if not is_disconnected:
                raise
            task.uncancel()
        finally:
            start.cancel()
            for watcher in watchers:
                watcher.cancel()
            await self._finish(response, thread)

    async def _cancel_at_disconnect(self, task: Any, receive: Receive) -> None:
        with suppress(RequestAborted):
            await self.listen_for_disconnect(receive)
        task.cancel()

    async def _finish(self, response: HttpResponseBase | None, thread: RequestThread) -> None:
        finish: Callable[[], Any] = partial(request_finished.send, sender=self.__class__)
        if response is not None:
            finish = response.close  # sends the signal
        is_streaming = response is not None and response.streaming
        if thread.is_used or is_streaming or self._has_other_receivers(request_finished):
            await sync_to_async(finish)()
        else:
            finish()

    def _has_other_receivers(self, signal: Any) -> bool:
        """Return True if receivers exist that are not Django's own, and so may do I/O."""
        known, result = self._known_receivers.get(signal, (None, True))
        if known != signal.receivers:
            known = [*signal.receivers]
            receivers, async_receivers = signal._live_receivers(self.__class__)
            modules = [str(getattr(receiver, "__module__", "")) for receiver in receivers]
            is_of_django = all(name.startswith("django.") for name in modules)
            result = bool(async_receivers) or not is_of_django
            self._known_receivers[signal] = known, result
        return result
