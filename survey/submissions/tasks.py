"""Background jobs of the sheets: mails to the respondents of a unit."""

from django.utils.translation import gettext_lazy as _

from survey.jobs.kinds import MESSAGE, register
from survey.submissions.invitations import services as invitations
from survey.submissions.printing import services as receipts

register(
    "receipt",
    receipts.send_receipt,
    label=_("E-mail with the receipt of a sheet"),
    retry_on=(OSError,),
    **MESSAGE,
)
register(
    "invitation",
    invitations.send_invitation,
    label=_("E-mail with an invitation to a sheet"),
    retry_on=(OSError,),
    **MESSAGE,
)
