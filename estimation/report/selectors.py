"""Reads of releases for their files: existing files, and who may see them."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from django.db.models import Q, QuerySet

from estimation.releases.content.content import Content
from estimation.releases.messages import RELEASE
from estimation.releases.models import Release
from estimation.report.files import storage
from estimation.report.files.names import MANIFEST
from survey import clock
from survey.access.models import User
from survey.access.roles import Permission
from survey.backups.selectors import Read, StoredFile
from survey.exceptions import FileMissing

PUBLIC_STATES = (Release.State.PUBLISHED, Release.State.CORRECTED)
# Files of these states are built before publication.
BUILT_STATES = (Release.State.VALIDATED, Release.State.SCHEDULED, *PUBLIC_STATES)


def public_releases() -> QuerySet[Release]:
    """What everybody may see now: published, and its embargo is over. The newest of the newest round first."""
    now = clock.present()
    return (
        Release.objects.filter(state__in=PUBLIC_STATES, published_at__lte=now)
        .filter(Q(embargo_until__isnull=True) | Q(embargo_until__lte=now))
        .select_related("round")
        .order_by("-round__year", "-number")
    )


def releases_visible_to(user: User) -> QuerySet[Release]:
    """Every release for people who may see estimates, the public ones for everybody else."""
    if user.is_authenticated and user.has(Permission.VIEW_ESTIMATES):
        return Release.objects.select_related("round")
    return public_releases()


def release_to_print(year: int, number: int | None = None) -> Release | None:
    """The current published release of a round, or the one of a number."""
    releases = Release.objects.filter(round__year=year).select_related("round")
    if number is not None:
        return releases.filter(number=number).first()
    return public_releases().filter(round__year=year, state=Release.State.PUBLISHED).first()


def is_public(release: Release) -> bool:
    """Whether everybody may see this release now."""
    return public_releases().filter(pk=release.pk).exists()


@lru_cache(maxsize=8)
def _parsed(pk: int, digest: str) -> Content:
    document = Release.objects.values_list("content", flat=True).get(pk=pk, content_hash=digest)
    return Content.from_document(document)


def content_of(release: Release) -> Content:
    """The frozen content of a release; the same object for the same content."""
    return _parsed(release.pk, release.content_hash)


def manifest_of(release: Release) -> dict[str, Any] | None:
    """Names, sizes and hashes of the files of a release; None until they were built."""
    return storage.manifest_of(release.content_hash)


def file_of(release: Release, name: str) -> bytes | None:
    """One file of a release, None when there is no such file."""
    return storage.read(release.content_hash, name)


def releases_without_files() -> list[int]:
    """Keys of validated and published releases whose files were not built yet."""
    rows = Release.objects.filter(state__in=BUILT_STATES).only("pk", "content_hash")
    return [row.pk for row in rows if manifest_of(row) is None]


def stored_files(read: Read) -> Iterator[StoredFile]:
    """The files of all releases that were built, with the hashes of their manifests, for backups."""
    for number, year, digest in Release.objects.order_by("pk").values_list(
        "number", "round__year", "content_hash"
    ):
        folder, subject = storage.folder(digest), RELEASE(number=number, year=year)
        try:
            manifest = json.loads(read(f"{folder}/{MANIFEST}"))
        except FileMissing:
            continue  # not built yet: the files are made from the content
        yield StoredFile(f"{folder}/{MANIFEST}", subject)
        for entry in manifest["files"]:
            yield StoredFile(f"{folder}/{entry['path']}", subject, entry["sha256"], entry["bytes"])
