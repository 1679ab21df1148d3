"""Django's storage of messages, with a cookie that other hosts of the domain cannot plant."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class HostCookieStorage(CookieStorage):
    """Messages in a cookie whose name begins with `__Host-` if cookies are Secure here."""

    cookie_name = "__Host-messages" if settings.SESSION_COOKIE_SECURE else "messages"


class MessageStorage(FallbackStorage):
    """For MESSAGE_STORAGE: in the cookie, and in the session what does not fit."""

    storage_classes = (HostCookieStorage, SessionStorage)
