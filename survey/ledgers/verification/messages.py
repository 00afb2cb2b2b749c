"""What a verification of the ledgers finds, as sentences."""

from django.utils.translation import gettext_lazy as _

from survey.sentences import define

CHANGED = define("ledger_changed", _("%(ledger)s, block %(block)s: rows were changed: %(ids)s."))
DELETED = define("ledger_deleted", _("%(ledger)s, block %(block)s: rows were deleted: %(ids)s."))
INSERTED = define(
    "ledger_inserted", _("%(ledger)s: rows were inserted that no block holds, with ids of the past: %(ids)s.")
)
REORDERED = define(
    "ledger_reordered", _("%(ledger)s, block %(block)s: rows stand at each other's places: %(ids)s.")
)
BLOCK_MISSING = define("ledger_block_missing", _("%(ledger)s: blocks are missing: %(ids)s."))
CHAIN_BROKEN = define(
    "ledger_chain_broken", _("%(ledger)s, block %(block)s: it does not continue the block before it.")
)
FORGED = define(
    "ledger_forged",
    _(
        "%(ledger)s, block %(block)s: its signature is not that of the key %(key)s: the block was changed or forged."
    ),
)
UNKNOWN_KEY = define(
    "ledger_unknown_key", _("%(ledger)s, block %(block)s: AUDIT_KEYS does not name its key %(key)s.")
)
HEAD_LOST = define(
    "ledger_head_lost",
    _("%(ledger)s: block %(block)s was noted outside the database, and is no longer there as it was."),
)
NOT_REMOVED = define(
    "ledger_not_removed", _("%(ledger)s, block %(block)s: rows that were removed are there again: %(ids)s.")
)
UNSEALED = define(
    "ledger_unsealed",
    _("%(ledger)s: %(count)s rows wait to be sealed for more than %(minutes)s minutes: %(ids)s."),
)
BACKDATED = define(
    "ledger_backdated",
    _(
        "%(ledger)s: %(count)s rows name a time more than %(minutes)s minutes before they were sealed: %(ids)s."
    ),
)
RESTORED = define(
    "ledger_restored",
    _(
        "On %(at)s %(operator)s restored the database from %(source)s, reason: %(reason)s. "
        "The ledgers go on from: %(heads)s."
    ),
)
GOES_ON = define("ledger_goes_on", _("%(ledger)s block %(block)s"))
GIVEN_UP = define(
    "ledger_given_up", _("%(ledger)s block %(block)s (what was sealed up to block %(lost)s is given up)")
)
RESTORE_FORGED = define(
    "ledger_restore_forged",
    _("Row %(row)s of the audit trail records a restore of the database, and its signature is not ours."),
)
FAULTS = define("ledger_faults", _("The ledgers have %(count)s faults. The first: %(first)s"))
