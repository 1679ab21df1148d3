"""Django's message storage, with a cookie that other hosts of the domain cannot set."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class HostCookieStorage(CookieStorage):
    """Messages in a cookie, whose name begins with `__Host-` if the site's cookies are Secure."""

    cookie_name = "__Host-messages" if settings.SESSION_COOKIE_SECURE else "messages"


class MessageStorage(FallbackStorage):
    """The message storage: the cookie, or the session for messages that do not fit."""

    storage_classes = (HostCookieStorage, SessionStorage)
