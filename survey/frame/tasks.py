"""Background work of the frame: files are checked and applied."""

from survey.frame import services
from survey.frame.messages import LOST, STOPPED
from survey.jobs.kinds import register

for name, work in (("frame_check", services.check_import), ("frame_apply", services.apply_import)):
    register(
        name,
        work,
        ended=services.end_import,
        waits=services.wait_again,
        lost=LOST,
        stopped=STOPPED,
        time_limit=900,
    )
