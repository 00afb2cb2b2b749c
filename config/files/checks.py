"""Checks of ``manage.py check --deploy`` for the server of the files."""

import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from config.checks import is_loopback, is_private
from config.files.faults import FilesUnavailable
from config.files.places import FOLDERS


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Lets a redirect be an error: only the server of the setting is asked."""

    def redirect_request(self, *request: Any, **more: Any) -> None:
        """No request."""


_opener = urllib.request.build_opener(_NoRedirects)
PROBE = f"check-{uuid4().hex}"


@register(Tags.security, deploy=True)
def files(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """Files can be written, read and deleted, over TLS or a private network, and strangers cannot read them."""
    messages: list[CheckMessage] = []
    for name in FOLDERS:
        for fault, hint in faults_of(name, settings.STORAGES[name], settings.PRIVATE_NETWORKS):
            messages.append(Error(f"The storage {name!r} {fault}.", hint=hint, id="config.E006"))
    return messages


@register(Tags.security, deploy=True)
def heads_of_ledgers(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """What was sealed last is noted at a place that was chosen: in a bucket, or in a folder of its own."""
    folder = Path(settings.AUDIT_FOLDER)
    if (
        "bucket_name" in settings.STORAGES["audit"].get("OPTIONS", {})
        or folder != settings.DATA_DIR / "audit"
    ):
        return []
    return [
        Warning(
            f"AUDIT_FOLDER is not set: the heads of the ledgers are noted in {folder} beside all other files.",
            hint="Name a folder that all hosts that seal share, on another disk than the database; or set FILES_URL.",
            id="config.W001",
        )
    ]


def faults_of(name: str, place: Mapping[str, Any], networks: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Faults of a storage, as predicates of a sentence, each with a hint."""
    endpoint = urlsplit(place.get("OPTIONS", {}).get("endpoint_url") or "")
    if endpoint.scheme == "http" and not (
        is_private(endpoint.hostname, networks) or is_loopback(endpoint.hostname)
    ):
        yield "is reached without TLS", "Use https in S3_ENDPOINT, or name its network in PRIVATE_NETWORKS."
    storage: Any = storages[name]
    try:
        storage.save(PROBE, ContentFile(b"check"))
        try:
            with storage.open(PROBE) as file:
                if file.read() != b"check":
                    yield "returns something else than was written", ""
            if endpoint.netloc and _anybody_reads(storage.address(PROBE)):
                yield "lets strangers read files", "Make the bucket private."
        finally:
            storage.delete(PROBE)
    except (OSError, FilesUnavailable) as error:
        yield "cannot be written and read", f"{type(error).__name__}: {error}"


def _anybody_reads(address: str) -> bool:
    """Whether a request without a signature gets the file."""
    try:
        with _opener.open(address, timeout=10) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, TimeoutError):
        return False
