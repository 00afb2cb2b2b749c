"""The lag of sealing is the age of the oldest row that came after the last block."""

import datetime as dt

import pytest
from django.utils import timezone

from survey.audit import AuditEvent, record
from survey.ledgers.sealing import services as sealing
from survey.operations.selectors import unsealed_seconds

pytestmark = pytest.mark.django_db


def test_a_row_without_a_block_ages_and_a_block_ends_it() -> None:
    sealing.seal("audit", partial_after=dt.timedelta())
    record(by=None, action="audit_searched")
    assert unsealed_seconds()["audit"] < 60
    sealing.seal("audit", partial_after=dt.timedelta())
    assert unsealed_seconds()["audit"] == 0
    AuditEvent.objects.create(action="audit_searched", at=timezone.now() - dt.timedelta(hours=1))
    assert 3_600 <= unsealed_seconds()["audit"] < 3_700
