"""Hooks that packages above implement, because they know the sheets."""

from typing import Any

from survey.collection.models import Assignment, CollectionRound
from survey.hooks import Hook

# Counts of a round by disposition, by state of the sheet and by category.
round_counts: Hook[[CollectionRound], dict[str, Any]] = Hook("survey.collection.hooks.round_counts")
# Whether the office has attached a document to the sheet of an assignment.
has_evidence: Hook[[Assignment], bool] = Hook("survey.collection.hooks.has_evidence")
