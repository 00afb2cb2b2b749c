"""Writes of the report: the files of a release, built once, and the audit of early downloads."""

from django.utils.translation import gettext_lazy as _

from estimation.releases.models import Release
from estimation.report import selectors
from estimation.report.files import storage
from estimation.report.wording import LANGUAGES
from survey import audit
from survey.access.models import User
from survey.access.roles import Permission
from survey.exceptions import PolicyDenied
from survey.jobs.services import Work
from survey.questionnaires.statutory import authority


def files_of(release: Release) -> dict[str, bytes]:
    """All files of a release, made from its frozen content. Raises PolicyDenied when its hash differs."""
    # The libraries of charts, typesetting and documents take a third of a start: only who writes files loads them.
    from estimation.report.files.bundle import build

    content = selectors.content_of(release)
    if content.digest() != release.content_hash:
        raise PolicyDenied(_("The content of this release does not match its hash. No file was written."))
    issuer = {language: authority(language) for language in LANGUAGES}
    moment = int(release.prepared_at.timestamp())
    return build(content, issuer=issuer, moment=moment)


def build_files(release: Release) -> None:
    """Build the files of a release where they are not there yet. Safe to call twice and at the same time."""
    if storage.manifest_of(release.content_hash) is None:
        storage.write(release.content_hash, files_of(release))


def do_report(work: Work) -> None:
    """Build the files of the release that is the key of a job."""
    build_files(Release.objects.get(pk=int(work.job.key)))


def take_file(release: Release, name: str, *, by: User) -> bytes | None:
    """A file for a person of the office; taking one before publication is recorded."""
    early = not selectors.is_public(release)
    if early and not by.has(Permission.VIEW_ESTIMATES):
        return None
    data = selectors.file_of(release, name)
    if data is not None and early:
        audit.record(by=by, action="report_taken_early", subject=release, file=name)
    return data
