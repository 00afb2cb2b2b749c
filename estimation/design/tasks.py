"""Background work of the sample design."""

from estimation.design.hand_over import services as hand_over
from estimation.design.messages import HAND_OVER_LOST, HAND_OVER_STOPPED
from survey.jobs.kinds import register

register("hand_over", hand_over.do_hand_over, time_limit=900, lost=HAND_OVER_LOST, stopped=HAND_OVER_STOPPED)
