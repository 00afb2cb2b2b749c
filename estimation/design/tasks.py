"""Background work of the sample design."""

from django.utils.translation import gettext_lazy as _

from estimation.design.hand_over import services as hand_over
from estimation.design.messages import HAND_OVER_LOST, HAND_OVER_STOPPED
from survey.jobs.kinds import register

register(
    "hand_over",
    hand_over.do_hand_over,
    label=_("Hand-over of a sample to a round"),
    time_limit=900,
    lost=HAND_OVER_LOST,
    stopped=HAND_OVER_STOPPED,
)
