"""Middleware that an asynchronous stack runs in its event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.exception import response_for_exception
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin


class EventLoopMiddleware(MiddlewareMixin):
    """The base of middleware whose steps do no I/O, or do it only for some requests.

    Django's `MiddlewareMixin` uses a thread for each step in an asynchronous stack. This one does
    so only if a subclass defines a method `…_needs_thread` for the step, and it returns True. A
    subclass lists this class after Django's.

    Neighbors in MIDDLEWARE form a group, which one coroutine runs instead of two for each.
    """

    get_response: Callable[[HttpRequest], Any]
    request_needs_thread: Callable[[HttpRequest], bool] | None = None
    view_needs_thread: Callable[[HttpRequest, Callable[..., Any]], bool] | None = None
    response_needs_thread: Callable[[HttpRequest, HttpResponseBase], bool] | None = None

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        if not self.async_mode:
            return
        middleware: Any = self
        if hasattr(middleware, "process_view"):
            self._process_view: Callable[..., Any] = middleware.process_view
            middleware.process_view = self._aprocess_view
        # Django wraps each middleware in `convert_exception_to_response`.
        following: Any = getattr(get_response, "__wrapped__", None)
        is_group = isinstance(following, EventLoopMiddleware) and not following._has_own_call()
        self._group: list[Any] = [self, *(following._group if is_group else ())]
        self._after_group = following._after_group if is_group else get_response
        self._request_steps = self._steps("request")
        self._response_steps = self._steps("response")[::-1]

    def _has_own_call(self) -> bool:
        """Return True if a subclass does more than its steps."""
        cls, own = type(self), EventLoopMiddleware
        return cls.__call__ is not own.__call__ or cls.__acall__ is not own.__acall__

    def _steps(self, phase: str) -> list[tuple[int, Any, Any]]:
        """Return the steps of a phase: the position, the step, and the method for its thread."""
        return [
            (index, getattr(item, f"process_{phase}"), getattr(item, f"{phase}_needs_thread"))
            for index, item in enumerate(self._group)
            if hasattr(item, f"process_{phase}")
        ]

    async def __acall__(self, request: Any) -> Any:
        """Run the group, with the order and the handling of errors that Django's wrappers have."""
        entered = len(self._group)
        for index, step, needs_thread in self._request_steps:
            try:
                if needs_thread and needs_thread(request):
                    response = await sync_to_async(step)(request)
                else:
                    response = step(request)
            except Exception as error:
                response, entered = await _error_response(request, error), index
                break
            if response is not None:
                entered = index + 1
                break
        else:
            response = await self._after_group(request)
        for index, step, needs_thread in self._response_steps:
            if index >= entered:
                continue
            try:
                if needs_thread and needs_thread(request, response):
                    response = await sync_to_async(step)(request, response)
                else:
                    response = step(request, response)
            except Exception as error:
                response = await _error_response(request, error)
        return response

    async def _aprocess_view(
        self, request: HttpRequest, view: Callable[..., Any], *args: Any
    ) -> Any:
        if self.view_needs_thread and self.view_needs_thread(request, view):
            return await sync_to_async(self._process_view)(request, view, *args)
        return self._process_view(request, view, *args)


async def _error_response(request: HttpRequest, error: Exception) -> HttpResponseBase:
    convert = sync_to_async(response_for_exception, thread_sensitive=False)
    return await convert(request, error)
