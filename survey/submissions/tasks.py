"""Background jobs of the sheets: mails to the respondents of a unit."""

from survey.jobs.kinds import MESSAGE, register
from survey.submissions.invitations import services as invitations
from survey.submissions.printing import services as receipts

register("receipt", receipts.send_receipt, retry_on=(OSError,), **MESSAGE)
register(
    "invitation",
    invitations.send_invitation,
    retry_on=(OSError,),
    **MESSAGE,
)
