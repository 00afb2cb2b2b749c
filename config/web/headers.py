"""Headers of every answer: from a view, from memory, of a probe, of a static file, of an error page."""

from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.csp import build_policy

# What no page of this site uses, so that no script that gets into one can use it.
UNUSED = (
    "accelerometer",
    "ambient-light-sensor",
    "autoplay",
    "bluetooth",
    "browsing-topics",
    "camera",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
# An uploaded file may be anything: it runs no script and loads nothing, whatever a browser does with it.
SANDBOX = "default-src 'none'; frame-ancestors 'none'; sandbox"


def security_headers() -> dict[str, str]:
    """Name and value of what an answer carries unless its view says something else."""
    return {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": settings.X_FRAME_OPTIONS,
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
        "Content-Security-Policy": build_policy(cast(dict[str, list[str]], settings.SECURE_CSP)),
    }


def strict_transport_security() -> str:
    """The value of the header that makes browsers use HTTPS only."""
    parts = [f"max-age={settings.SECURE_HSTS_SECONDS}"]
    parts += ["includeSubDomains"] if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else []
    parts += ["preload"] if settings.SECURE_HSTS_PRELOAD else []
    return "; ".join(parts)


class SecurityHeadersMiddleware:
    """The outermost middleware: no answer leaves without these headers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.headers = security_headers()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add what is missing."""
        response = self.get_response(request)
        for name, value in self.headers.items():
            response.headers.setdefault(name, value)
        if settings.SECURE_HSTS_SECONDS and request.is_secure():
            # Django's own middleware does not see what the middlewares before it answer.
            response.headers.setdefault("Strict-Transport-Security", strict_transport_security())
        return response
