"""Messages to the person at the browser, in a cookie whose name has the prefix of the others."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class PrefixedCookieStorage(CookieStorage):
    """Django's signed cookie of messages."""

    cookie_name = f"{settings.COOKIE_PREFIX}messages"


class MessageStorage(FallbackStorage):
    """Messages in the cookie, and in the session where they are too long for it."""

    storage_classes = (PrefixedCookieStorage, SessionStorage)
