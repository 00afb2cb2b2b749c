"""Writes of releases: prepare a draft, fill it again, edit its passages, publish what is due."""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from estimation.releases import selectors
from estimation.releases.checks import Fault, ReleaseChecks, Rules
from estimation.releases.content import notes
from estimation.releases.content import passages as blocks
from estimation.releases.content.content import CellStatus, Content, Text
from estimation.releases.content.crossings import without_weak
from estimation.releases.content.freezing import freeze
from estimation.releases.content.identities import check_identities, failing
from estimation.releases.content.passages import Passage
from estimation.releases.content.registry import assemble, publication_plan
from estimation.releases.disclosure.protection import protect
from estimation.releases.models import BlockVersion, Release
from estimation.releases.states import Action
from estimation.releases.transitions import due, transition
from estimation.runs.models import EstimationRun
from survey import audit, clock
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.collection.models import CollectionRound
from survey.exceptions import PolicyDenied

__all__ = [
    "Action",
    "edit_block",
    "prepare_release",
    "publish_due",
    "rebuild_draft",
    "rehearse_publication",
    "transition",
]


@transaction.atomic
def prepare_release(*, run: EstimationRun, by: User | None, note_zh: str = "", note_en: str = "") -> Release:
    """A draft with everything that the run gives, after disclosure control.

    When the round has a published release, the draft is its correction and needs a note in both languages.
    ``by`` None is an operator or a rehearsal. Raises PermissionDenied, PolicyDenied (unfinished run, no note,
    a correction is already under way).
    """
    if by is not None and not may(by, Permission.PUBLISH):
        raise PermissionDenied
    if run.state != EstimationRun.State.FINISHED:
        raise PolicyDenied(_("Only a finished run can be released."))
    # The round's row is the lock on the numbers of its releases.
    round_ = CollectionRound.objects.select_for_update().get(pk=run.round_id)
    releases = Release.objects.filter(round=round_)
    current = releases.filter(state=Release.State.PUBLISHED).order_by("-number").first()
    if current is not None:
        if not note_zh.strip() or not note_en.strip():
            raise PolicyDenied(
                _("This round is published. A correction needs a note in Chinese and English.")
            )
        if releases.filter(replaces=current).exists():
            raise PolicyDenied(_("A correction of the published release is already being prepared."))
    newest = releases.order_by("-number").first()
    content, checks = build_content(run, earlier=current)
    release = Release.objects.create(
        round=round_,
        run=run,
        number=newest.number + 1 if newest else 1,
        prepared_by=by,
        replaces=current,
        content=content.to_document(),
        content_hash=content.digest(),
        checks=checks,
        correction_note_zh=note_zh.strip(),
        correction_note_en=note_en.strip(),
    )
    audit.record(
        by=by,
        action="prepare_release",
        subject=release,
        round=round_.year,
        number=release.number,
        run=run.input_hash,
        content_hash=release.content_hash,
    )
    return release


@transaction.atomic
def rebuild_draft(release: Release, *, by: User | None) -> Release:
    """Fill a draft again with the passages as they are now. The user becomes its preparer."""
    row = transition(release, Action.REBUILD, by=by)
    content, checks = build_content(row.run, earlier=row.replaces)
    row.content, row.content_hash, row.checks = content.to_document(), content.digest(), checks
    row.prepared_by, row.prepared_at = by, clock.present()
    row.save()
    return row


@transaction.atomic
def rehearse_publication(release: Release) -> Release:
    """Validate and publish immediately, without a user. Raises PolicyDenied for a real round, or when a check refuses."""
    if not release.round.is_synthetic:
        raise PolicyDenied(_("A real round is validated and published by two people in the application."))
    for action in (Action.VALIDATE, Action.PUBLISH):
        release = transition(release, action, by=None)
    return release


def build_content(run: EstimationRun, *, earlier: Release | None) -> tuple[Content, ReleaseChecks]:
    """The content of a release of a run, and the record of its checks.

    Raises PolicyDenied for a run that stored no contributors: its totals cannot be protected.
    """
    plan, year = publication_plan(), run.round.year
    concentration = selectors.concentration_of(run)
    if not concentration:
        raise PolicyDenied(
            _(
                "This run does not hold the contributors of its totals. Request it again, then release the new run."
            )
        )
    material = selectors.material_of(run, plan)
    draft, figures = assemble(plan, material, dict(selectors.codes_of()))
    rules = Rules(settings.DISCLOSURE_MINIMUM, settings.DISCLOSURE_ONE, settings.DISCLOSURE_TWO)
    cells, verdict = protect(
        draft.cells,
        material.source.estimates,
        concentration,
        rules,
        withheld_before=_withheld(earlier),
    )
    cells = without_weak(cells, draft.crossings)
    identities = check_identities(cells, year, material.source.external)
    cells = freeze(cells)
    passages = selectors.passages_of(run.round)
    faults = [Fault(kind, code, detail) for code, kind, detail in notes.faults_of(passages, cells, year)]
    fatal = [fault for fault in faults if fault.kind in notes.FATAL]
    fatal += [Fault("identity", row["code"], row["difference"]) for row in failing(identities)]
    broken = {fault.where for fault in fatal}
    footnotes, filled = notes.footnotes_of(
        blocks.fill_block(passage, cells, year) for passage in passages if passage.code not in broken
    )
    content = Content(
        year=year,
        title=Text(f"全国数据资源调查报告（{year}年）", f"National Data Resource Survey Report {year}"),
        is_synthetic=run.round.is_synthetic,
        run=run.input_hash,
        code_version=run.code_version,
        cells=cells,
        tables=tuple(draft.tables),
        figures=figures,
        blocks=filled,
        identities=identities,
        footnotes=footnotes,
        crossings=tuple(draft.crossings),
    )
    remarks = [fault for fault in faults if fault.kind not in notes.FATAL]
    remarks += [Fault("weak", key, cell.printed) for key, cell in cells.items() if cell.grade == "E"]
    return content, ReleaseChecks(tuple(fatal), tuple(remarks), verdict.record(), rules)


def _withheld(earlier: Release | None) -> frozenset[str]:
    """Estimates that earlier releases of the round did not show; they stay withheld."""
    if earlier is None:
        return frozenset()
    cells = Content.from_document(earlier.content).cells.values()
    return frozenset(
        cell.lineage[0] for cell in cells if cell.status is CellStatus.WITHHELD and len(cell.lineage) == 1
    )


@transaction.atomic
def edit_block(*, round: CollectionRound, code: str, heading: Text, body: Text, by: User) -> BlockVersion:
    """A new version of a passage. Raises PermissionDenied, PolicyDenied for typed digits or an unknown field."""
    if not may(by, Permission.PUBLISH):
        raise PermissionDenied
    CollectionRound.objects.select_for_update().get(pk=round.pk)
    section_code = next(
        (passage.place for passage in blocks.default_passages() if passage.code == code), None
    )
    if section_code is None:
        raise PolicyDenied(_("There is no passage %(code)s in the report.") % {"code": code})
    passage = Passage(code, section_code, heading, body)
    cells = selectors.cells_for_text(round)  # none before the first draft, which then reports unknown names
    together = tuple(passage if stored.code == code else stored for stored in selectors.passages_of(round))
    for where, kind, detail in notes.faults_of(together, cells, round.year):
        # A note that is removed while another passage calls it is the fault of this edit, too.
        own_fault = where == code or (kind == notes.UNKNOWN and code == notes.CODE)
        if own_fault and kind in notes.FATAL and (cells or kind != "unknown"):
            raise PolicyDenied(selectors.FAULTS[kind] % {"detail": detail})
    newest = BlockVersion.objects.filter(round=round, code=code).order_by("-number").first()
    version = BlockVersion.objects.create(
        round=round,
        code=code,
        number=newest.number + 1 if newest else 1,
        heading_zh=heading.zh,
        heading_en=heading.en,
        body_zh=body.zh,
        body_en=body.en,
        edited_by=by,
    )
    audit.record(
        by=by, action="edit_block", subject=version, round=round.year, code=code, number=version.number
    )
    return version


def publish_due() -> list[int]:
    """Publish the scheduled releases whose embargo is over; safe to run twice. Returns those published."""
    done = []
    for pk in due():
        try:
            transition(Release.objects.get(pk=pk), Action.PUBLISH, by=None)
        except PolicyDenied as refusal:
            why = refusal.stored.to_document()
            audit.record(by=None, action="release_publish", subject=Release(pk=pk), succeeded=False, why=why)
            continue
        done.append(pk)
    return done
