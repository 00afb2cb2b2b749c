"""Files of releases for tests that only read them: building all formats takes seconds, so it is done once for a content."""

from estimation.releases.models import Release
from estimation.report.files import storage
from estimation.report.services import files_of

_built: dict[str, dict[str, bytes]] = {}


def built_files(release: Release) -> dict[str, bytes]:
    """Files by name, those that carry the time of a release with the time of the first one that had this content.
    Built with the settings of the tests: a test that changes one of them builds its own."""
    if release.content_hash not in _built:
        _built[release.content_hash] = dict(files_of(release))
    return _built[release.content_hash]


def store_files(release: Release) -> None:
    """What ``build_files`` leaves among the reports."""
    storage.write(release.content_hash, built_files(release))
