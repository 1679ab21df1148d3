"""Accept uploaded files only on the views that need them, from staff, in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.uploadhandler import FileUploadHandler, MemoryFileUploadHandler
from django.http import HttpRequest

from accounts.core.event_loop import EventLoopMiddleware


class RefuseFiles(FileUploadHandler):
    """An upload handler that rejects the request with 403 at the start of its first file.

    Django's own handlers would write the file to disk before a view checks permissions.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise PermissionDenied("You cannot upload files to this URL.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


class FileUploadMiddleware(EventLoopMiddleware):
    """Accept files on `FILE_UPLOAD_VIEWS`, from staff with the permissions listed there.

    It must precede CsrfViewMiddleware, which parses the body to find the token. `request.user` is
    available: Django calls `process_view` after the request phase of all middleware.
    """

    def view_needs_thread(self, request: HttpRequest, view: Callable[..., Any]) -> bool:
        return _required_permissions(request) is not None

    def process_view(self, request: HttpRequest, *args: Any) -> None:
        permissions = _required_permissions(request)
        if permissions is not None:
            user = request.user
            if user.is_active and user.is_staff and user.has_perms(permissions):
                request.upload_handlers = [MemoryFileUploadHandler(request)]


def _required_permissions(request: HttpRequest) -> tuple[str, ...] | None:
    """Return the permissions for the files of `request`, or None if it cannot have files."""
    match = request.resolver_match
    if match is None or request.content_type != "multipart/form-data":
        return None
    permissions: tuple[str, ...] | None = settings.FILE_UPLOAD_VIEWS.get(match.view_name)
    return permissions
