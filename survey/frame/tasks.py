"""Background work of the frame: files are checked and applied."""

from django.utils.translation import gettext_lazy as _

from survey.frame import services
from survey.frame.messages import LOST, STOPPED
from survey.jobs.kinds import register

for name, work, label in (
    ("frame_check", services.check_import, _("Check of a frame file")),
    ("frame_apply", services.apply_import, _("Application of a frame file")),
):
    register(
        name,
        work,
        label=label,
        ended=services.end_import,
        waits=services.wait_again,
        lost=LOST,
        stopped=STOPPED,
        time_limit=900,
    )
