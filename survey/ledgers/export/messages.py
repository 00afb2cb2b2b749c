"""Sentences about signed exports."""

from django.utils.translation import gettext_lazy as _

from survey.sentences import define

FILE_CHANGED = define("ledger_file_changed", _("The file %(name)s is not the one that was signed."))
FILE_MISSING = define("ledger_file_missing", _("The file %(name)s is missing or cannot be read."))
NOT_SIGNED = define(
    "ledger_not_signed", _("The manifest was not signed with the private key of this public key.")
)
EXPORTED_ROWS = define(
    "ledger_exported_rows", _("%(ledger)s, block %(block)s: its rows do not lead to the hash of the block.")
)
EXPORTED_CHAIN = define(
    "ledger_exported_chain", _("%(ledger)s, block %(block)s: it does not continue the block before it.")
)
NO_KEY = define(
    "ledger_no_export_key", _("AUDIT_EXPORT_KEY is not set, or is no private key of 32 bytes in base 64.")
)
NO_BLOCKS = define("ledger_no_blocks", _("No block was sealed in this time."))
NOT_EMPTY = define("ledger_folder_not_empty", _("The folder for the export exists and is not empty."))
EXPIRED = define("ledger_export_expired", _("This file has expired. Ask for it again."))
BUSY = define("ledger_export_busy", _("Wait until your last export is done."))
