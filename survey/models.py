"""Imports the models of all packages, as Django requires."""

from survey.access.models import ActivationCode, AttemptCounter, Region, RoleAssignment, User
from survey.audit import AuditEvent
from survey.collection.models import Assignment, CollectionRound, ContactNote
from survey.fieldwork.models import DeskJob, Reminder, ReminderBatch, SiteNotice
from survey.frame.models import FrameCount, FrameImport, ReportingUnit, UnitChange, UnitContact
from survey.idempotency.models import IdempotencyKey
from survey.jobs.models import Job
from survey.ledgers.models import LedgerBlock, LedgerExport, LedgerGap, LedgerRemoval
from survey.microdata.models import (
    ItemResponse,
    MicrodataLayout,
    MicrodataMember,
    MicrodataVersion,
    Observation,
    RoundCoverage,
)
from survey.questionnaires.models import QuestionnaireVersion
from survey.retention.models import LegalHold, RetentionReport
from survey.review.bulk.models import BulkAcceptance, BulkMember
from survey.review.ledger.models import MacroFinding, MacroLook, MacroMember
from survey.review.scores.models import (
    ExpectedShare,
    ItemScore,
    PeerQuantiles,
    SamplingError,
    SheetScore,
    TotalCell,
)
from survey.submissions.comments.models import CorrectionSlip, ReviewQuery
from survey.submissions.models import (
    Explanation,
    Filing,
    FindingTrace,
    ItemNote,
    SectionTime,
    Submission,
    SubmissionEvent,
)

__all__ = [
    "ActivationCode",
    "Assignment",
    "AttemptCounter",
    "AuditEvent",
    "BulkAcceptance",
    "BulkMember",
    "CollectionRound",
    "ContactNote",
    "CorrectionSlip",
    "DeskJob",
    "ExpectedShare",
    "Explanation",
    "Filing",
    "FindingTrace",
    "FrameCount",
    "FrameImport",
    "IdempotencyKey",
    "ItemNote",
    "ItemResponse",
    "ItemScore",
    "Job",
    "LedgerBlock",
    "LedgerExport",
    "LedgerGap",
    "LedgerRemoval",
    "LegalHold",
    "MacroFinding",
    "MacroLook",
    "MacroMember",
    "MicrodataLayout",
    "MicrodataMember",
    "MicrodataVersion",
    "Observation",
    "PeerQuantiles",
    "QuestionnaireVersion",
    "Region",
    "Reminder",
    "ReminderBatch",
    "ReportingUnit",
    "RetentionReport",
    "ReviewQuery",
    "RoleAssignment",
    "RoundCoverage",
    "SamplingError",
    "SectionTime",
    "SheetScore",
    "SiteNotice",
    "Submission",
    "SubmissionEvent",
    "TotalCell",
    "UnitChange",
    "UnitContact",
    "User",
]
