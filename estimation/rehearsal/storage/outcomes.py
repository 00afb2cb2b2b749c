"""Outcomes of the sheet of a unit in the 2025 round: its code in arrays, and its name by code. Pure."""

(
    ACCEPTED,
    INVALIDATED,
    NOT_STARTED,
    IN_PROGRESS,
    SUBMITTED,
    NATIONAL_REVIEW,
    RETURNED,
    EXEMPTED,
    REFUSED,
    NOT_LOCATED,
    CLOSED,
    OUT_OF_SCOPE,
    DUPLICATE,
) = range(13)
OUTCOMES = (
    "accepted",
    "invalidated",
    "not_started",
    "in_progress",
    "submitted",
    "national_review",
    "returned",
    "exempted",
    "refused",
    "not_located",
    "closed",
    "out_of_scope",
    "duplicate",
)
