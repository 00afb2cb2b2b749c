"""Labels of the action codes of the audit trail. A code without a label is shown as it is."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ACTIONS: dict[str, Promise] = {
    "sign_in": _("Sign-in"),
    "sign_in_locked": _("Sign-in locked after failures"),
    "sign_out": _("Sign-out"),
    "identity_linked": _("Identity of single sign-on linked"),
    "passkey_added": _("Passkey added"),
    "passkey_removed": _("Passkey removed"),
    "session_ended": _("Own session ended"),
    "other_sessions_ended": _("All other own sessions ended"),
    "sessions_ended": _("All sessions of an account ended"),
    "second_factor": _("Second factor checked"),
    "second_factor_set_up": _("Second factor set up"),
    "second_factor_reset": _("Second factor reset"),
    "recovery_codes_renewed": _("Recovery codes renewed"),
    "password_changed": _("Password changed"),
    "password_reset": _("Password reset by an administrator"),
    "notice_read": _("Statutory notice confirmed"),
    "activation_code_issued": _("Activation code issued"),
    "activation_refused": _("Activation refused"),
    "account_activated": _("Account activated"),
    "account_created": _("Account created"),
    "account_closed": _("Account closed"),
    "account_reopened": _("Account reopened"),
    "account_unlocked": _("Account unlocked"),
    "role_granted": _("Role granted"),
    "role_revoked": _("Role ended"),
    "access_refused": _("Access outside one's scope refused"),
    "test_mail_sent": _("Test mail sent"),
    "job_retried": _("Failed job tried again"),
    "job_discarded": _("Failed job discarded"),
    "audit_searched": _("Audit trail searched"),
    "ledger_export_requested": _("Signed export requested"),
    "ledger_export_finished": _("Signed export made"),
    "ledger_export_fetched": _("Signed export downloaded"),
    "hold_set": _("Legal hold set"),
    "hold_ended": _("Legal hold ended"),
    "retention_swept": _("Data over their period removed"),
    "ledgers_verified": _("Ledgers verified"),
    "files_checked": _("Stored files compared with their rows"),
    "backup_made": _("Backup made"),
    "backup_verified": _("Backup restored on trial and verified"),
    "database_restored": _("Database restored"),
    "sheet_save": _("Sheet saved"),
    "password_link_sent": _("Link for a new password sent"),
    "password_recovered": _("Password renewed by a link"),
    "attachment_added": _("File put beside a sheet"),
    "attachment_removed": _("File beside a sheet removed"),
    "attachment_downloaded": _("File beside a sheet fetched"),
    "attachment_infected": _("Harmful file refused"),
    "signature_asked": _("Signature asked for"),
    "signed": _("Signed"),
    "section_invited": _("Sections handed to a colleague"),
    "section_invitation_withdrawn": _("Invitation to sections withdrawn"),
    "receipt_sent": _("Receipt sent by e-mail"),
    "sheet_submit": _("Sheet submitted to the province"),
    "sheet_submit_national": _("Sheet submitted to the nation"),
    "sheet_recall": _("Sheet recalled"),
    "sheet_return": _("Sheet returned"),
    "sheet_accept": _("Sheet accepted by the province"),
    "sheet_accept_finally": _("Sheet accepted finally"),
    "sheet_reopen": _("Sheet reopened"),
    "sheet_exempt": _("Sheet exempted"),
    "sheet_invalidate": _("Sheet ruled invalid"),
    "review_started": _("Review begun"),
    "review_query": _("Comment on a sheet"),
    "review_query_close": _("Comment closed"),
    "review_query_reopen": _("Comment asked again"),
    "review_verdict": _("Reason of an unusual value judged"),
    "review_propose": _("Value proposed for confirmation"),
    "sheet_send_back": _("Sheet sent back to the province"),
    "sheet_unexempt": _("Exemption taken back"),
    "sheet_reinstate": _("Sheet reinstated"),
    "bulk_accept": _("Sheets accepted in bulk"),
    "round_planned": _("Round planned"),
    "units_assigned": _("Units asked in a round"),
    "reminders_requested": _("Reminders requested"),
    "job_requested": _("File requested"),
    "job_finished": _("File made"),
    "job_fetched": _("File downloaded"),
    "job_cancelled": _("File cancelled"),
    "bulk_undo": _("Acceptance in bulk taken back"),
    "sheet_undo_accept": _("Acceptance of the sheet taken back"),
    "round_open": _("Round opened"),
    "round_closed": _("Round closed"),
    "assignment_disposition": _("Disposition recorded"),
    "unit_contacts": _("Contact persons of a unit changed"),
    "assignment_extension": _("Deadline extended"),
    "assignment_contact": _("Contact with a unit written down"),
    "publish_questionnaire": _("Questionnaire published"),
    "frame_uploaded": _("Frame file uploaded"),
    "frame_confirmed": _("Frame file confirmed"),
    "frame_applied": _("Frame file applied"),
    "frame_cancelled": _("Frame import cancelled"),
    "frame_errors_downloaded": _("Faults of a frame file downloaded"),
    "field_keys_rotated": _("Encrypted columns changed to the current key"),
    "freeze_microdata": _("Microdata frozen"),
}


def register(labels: Mapping[str, Promise]) -> None:
    """Add the codes that an upper package records."""
    ACTIONS.update(labels)


def label_of(action: str) -> str:
    """The label of one code in the current language."""
    return str(ACTIONS.get(action, action))


COUNTED: dict[str, Promise] = {}  # what verifications and comparisons count


def register_counted(labels: Mapping[str, Promise]) -> None:
    """Add the names of what verifications and comparisons count."""
    COUNTED.update(labels)
