"""What a comparison of stored files with rows finds, as sentences, and the names of the stores."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from survey.sentences import define

# By the names of the stores (survey.files).
STORES: dict[str, Promise] = {
    "attachments": _("Evidence beside sheets"),
    "jobs": _("Exports, letters and other produced files"),
    "reports": _("Files of releases"),
    "audit": _("Last blocks of the ledgers"),
}

SIZE_DIFFERS = define(
    "stored_file_size", _("%(subject)s: the file %(file)s has another size than it was stored with.")
)
HEAD = define("stored_file_head", _("The last block of the ledger %(ledger)s, as noted outside the database"))
FILES_MISSING = define(
    "stored_files_missing", _("%(count)s stored files are missing or have another size. The first: %(first)s")
)
