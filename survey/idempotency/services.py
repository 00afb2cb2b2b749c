"""Claiming the key of a request, storing its response, and deleting old keys."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from survey import clock, encryption
from survey.idempotency.models import IdempotencyKey

FIELD = "idempotency_key"
HEADER = "Idempotency-Key"
CONTEXT = "idempotency"  # of encrypted bodies
LARGEST_BODY = 500_000  # bytes of a response that is stored
# Made anew for each response.
NOT_STORED = frozenset({"content-length", "set-cookie", "vary", "cache-control"})


@dataclass(frozen=True, slots=True)
class Claim:
    """What identifies a request: who sent which content with which key where."""

    owner: str
    path: str
    key: str
    fingerprint: str

    def take(self) -> IdempotencyKey | None:
        """The new row of this key; None when a request with it has been carried out.

        Waits while a transaction with the same key is open. Call it inside the transaction of the request.
        """
        row = IdempotencyKey(
            owner=self.owner, path=self.path, key=self.key, fingerprint=self.fingerprint, at=clock.present()
        )
        IdempotencyKey.objects.bulk_create([row], ignore_conflicts=True)
        stored = self.find()
        return stored if stored.status == 0 else None

    def find(self) -> IdempotencyKey:
        """The row of this key."""
        return IdempotencyKey.objects.get(owner=self.owner, path=self.path, key=self.key)


def owner_of(request: HttpRequest) -> str:
    """Who sends a request: the user, else the session as a hash, else nobody."""
    if request.user.is_authenticated:
        return f"user:{request.user.pk}"
    session = request.session.session_key or ""
    return f"session:{_hash(session.encode())}" if session else ""


def fingerprint_of(request: HttpRequest) -> str:
    """Hash of the fields and files of a form, or of the body of another request."""
    if not request.POST and not request.FILES:
        return _hash(request.body)
    digest = hashlib.sha256()
    for name in sorted(request.POST):
        if name not in {FIELD, "csrfmiddlewaretoken"}:
            digest.update(repr((name, request.POST.getlist(name))).encode())
    for name in sorted(request.FILES):
        for file in request.FILES.getlist(name):
            digest.update(repr((name, file.name, file.size)).encode())
            for chunk in file.chunks():
                digest.update(chunk)
            file.seek(0)
    return digest.hexdigest()


def form_claim(request: HttpRequest, key: str) -> Claim:
    """The claim of a form. Other content under the same key is another request: a page may be sent again after a change."""
    fingerprint = fingerprint_of(request)
    return Claim(owner_of(request), _path(request), _hash(f"{key[:200]} {fingerprint}".encode()), fingerprint)


def header_claim(request: HttpRequest, key: str) -> Claim:
    """The claim of a request to the interface for machines, by its header."""
    return Claim(owner_of(request), _path(request), _hash(key.encode()), fingerprint_of(request))


def keep(row: IdempotencyKey, response: HttpResponseBase) -> None:
    """Store the response of a request that was carried out; drop the key of one that was refused."""
    if response.status_code >= 400 or not isinstance(response, HttpResponse):
        row.delete()
        return
    row.status = response.status_code
    row.headers = {name: value for name, value in response.items() if name.lower() not in NOT_STORED}
    if response.content and len(response.content) <= LARGEST_BODY:
        row.body = encryption.encrypt(response.content.decode(errors="replace"), CONTEXT)
    row.save(update_fields=["status", "headers", "body"])


def stored_response(row: IdempotencyKey) -> HttpResponse | None:
    """The response of the first request. None when its page was too large, or its key of encryption is gone."""
    headers: Mapping[str, str] = row.headers
    try:
        text = encryption.decrypt(row.body, CONTEXT) if row.body else ""
    except encryption.EncryptionError:
        text = ""
    if not text and row.status == 200:
        return None
    return HttpResponse(text, status=row.status, headers=dict(headers))


def delete_old() -> int:
    """Delete keys after ``IDEMPOTENCY_DAYS``. Returns their number."""
    oldest = clock.present() - timedelta(days=settings.IDEMPOTENCY_DAYS)
    return IdempotencyKey.objects.filter(at__lt=oldest).delete()[0]


def _path(request: HttpRequest) -> str:
    return f"{request.method} {request.get_full_path()}"[:500]


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
