"""A hand-over by a worker: requested on the page, done once, taken up again when the worker dies.

The work is one transaction, so how far it is stands in the cache, where others see it. A worker that dies leaves
nothing but a sign of life that ends; the sweep sends the request again.
"""

import logging
import time
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from estimation.design.messages import HAND_OVER_LOST, HAND_OVER_NOT_ALLOWED, HAND_OVER_STOPPED
from estimation.design.models import SampleDesign
from estimation.design.services import State, allow, hand_over, locked, refuse_begun
from survey import audit
from survey.access.models import User
from survey.exceptions import PolicyDenied
from survey.sentences import Sentence

logger = logging.getLogger(__name__)
ATTEMPTS = 3
SMALL_SAMPLE = 2_000  # handed over while the person waits
RESEND_AFTER = timedelta(seconds=settings.RUN_RESEND_SECONDS)


@transaction.atomic
def request_hand_over(design: SampleDesign, *, by: User | None) -> SampleDesign:
    """Note that the sample has to be handed over; asking again changes nothing.

    Raises PermissionDenied, PolicyDenied (not approved, the round has begun).
    """
    allow(by)
    row = locked(design, (State.APPROVED, State.HANDED_OVER))
    if row.state == State.HANDED_OVER or row.hand_over_requested_at is not None:
        return row
    refuse_begun(row.round)
    row.hand_over_requested_at, row.hand_over_requested_by = timezone.now(), by
    row.hand_over_attempts, row.hand_over_error = 0, Sentence()
    row.save(
        update_fields=[
            "hand_over_requested_at",
            "hand_over_requested_by",
            "hand_over_attempts",
            "hand_over_error",
        ]
    )
    audit.record(
        by=by,
        action="design_hand_over_requested",
        subject=row,
        year=row.round.year,
        content_hash=row.content_hash,
    )
    return row


def do_hand_over(pk: int) -> bool:
    """What was requested. Returns False when there is nothing to do; never raises for a refusal.

    A failing database leaves the request as it is, and ``waiting_hand_overs`` takes it up again.
    """
    asked = SampleDesign.objects.filter(pk=pk, state=State.APPROVED, hand_over_requested_at__isnull=False)
    # Whoever sets the sign of life has the work; a second delivery finds it set.
    if not asked.exists() or not cache.add(_key(pk), 1, settings.RUN_LOST_SECONDS):
        return False
    try:
        if not asked.filter(hand_over_attempts__lt=ATTEMPTS).update(
            hand_over_attempts=F("hand_over_attempts") + 1
        ):
            _give_up(pk, HAND_OVER_LOST(count=ATTEMPTS))
            return False
        row = SampleDesign.objects.select_related("hand_over_requested_by").get(pk=pk)
        began = time.perf_counter()
        hand_over(row, by=row.hand_over_requested_by, beat=lambda percent: _beat(pk, percent))
        logger.info("design %s handed over in %.1f s", pk, time.perf_counter() - began)
    except PolicyDenied as refusal:
        _give_up(pk, refusal.stored)
    except PermissionDenied:
        _give_up(pk, HAND_OVER_NOT_ALLOWED())
    except DatabaseError:
        raise
    except Exception as error:
        logger.exception("the hand-over of design %s stopped", pk)
        _give_up(pk, HAND_OVER_STOPPED(error=error))
    finally:
        cache.delete(_key(pk))
    return True


def _give_up(pk: int, sentence: Sentence) -> None:
    SampleDesign.objects.filter(pk=pk, state=State.APPROVED).update(
        hand_over_requested_at=None, hand_over_error=sentence
    )


def _key(pk: int) -> str:
    return f"hand-over:{pk}"


def _beat(pk: int, percent: int) -> None:
    cache.set(_key(pk), percent, settings.RUN_LOST_SECONDS)


def percent_of(design: SampleDesign) -> int | None:
    """How far a worker is with the hand-over; None while it waits for one."""
    percent: int | None = cache.get(_key(design.pk))
    return percent


def waiting_hand_overs() -> list[int]:
    """Requests whose message was lost or whose worker was."""
    old = SampleDesign.objects.filter(
        state=State.APPROVED, hand_over_requested_at__lt=timezone.now() - RESEND_AFTER
    )
    return [pk for pk in old.values_list("pk", flat=True) if cache.get(_key(pk)) is None]
