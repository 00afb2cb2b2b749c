"""Who asks, and over which scheme: what our own proxy says about it, and nobody else."""

import ipaddress
from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse

FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO")


class ForwardedMiddleware:
    """Takes the client's address from the proxy and drops what anybody else wrote into these headers.

    Behind it ``REMOTE_ADDR`` is the client's address, and ``X-Forwarded-Proto`` stands only where it can be
    trusted (``SECURE_PROXY_SSL_HEADER`` reads it).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Only the last entry of X-Forwarded-For was written by our own proxy; earlier ones can be forged."""
        if is_proxy(str(request.META.get("REMOTE_ADDR") or "")):
            forwarded = str(request.META.pop("HTTP_X_FORWARDED_FOR", ""))
            if forwarded:
                request.META["REMOTE_ADDR"] = forwarded.rsplit(",", 1)[-1].strip()
        else:
            for name in FORWARDED:
                request.META.pop(name, None)
        return self.get_response(request)


def is_proxy(peer: str) -> bool:
    """True for the address of our own proxy. A Unix socket has no address: only the proxy may open it."""
    if not settings.BEHIND_PROXY:
        return False
    if not peer:
        return True
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    return any(address in network for network in _networks(tuple(settings.PROXY_ADDRESSES)))


@cache
def _networks(addresses: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(address) for address in addresses)
