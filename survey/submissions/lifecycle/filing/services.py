"""A filed version: frozen answers, their canonical text and its hash."""

from django.db.models import Max

from survey import clock
from survey.access.models import User
from survey.submissions.lifecycle.filing.selectors import content_hash
from survey.submissions.models import Filing, Submission
from survey.submissions.selectors import sheet_of


def freeze(row: Submission, *, by: User | None) -> Filing:
    """Store a filing: relevant answers, computed cells, explanations, signatories. Only ``move`` calls it."""
    sheet = sheet_of(row)
    explanations = [sheet.explanation_of(finding) for finding in sheet.soft]
    filing = Filing(
        submission=row,
        number=(row.filings.aggregate(last=Max("number"))["last"] or 0) + 1,
        version=row.assignment.version,
        answers=sheet.effective,
        explanations=[
            {"edit": e.edit, "fingerprint": e.fingerprint, "reason_code": e.reason_code, "text": e.text}
            for e in explanations
            if e is not None
        ],
        signatories=row.signatories,
        revision=row.revision,
        filed_at=row.filed_at or clock.present(),
        filed_by=by,
    )
    filing.content_hash = content_hash(filing)
    filing.save(force_insert=True)
    return filing
