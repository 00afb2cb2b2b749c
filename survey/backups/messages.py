"""What is said when a backup, its verification or a restore fails, as sentences."""

from django.utils.translation import gettext_lazy as _

from survey.sentences import define

PROGRAM_MISSING = define(
    "backup_program_missing",
    _(
        "%(program)s of PostgreSQL %(version)s or newer was not found. Install PostgreSQL's client programs, or set "
        "POSTGRES_PROGRAMS to their folder."
    ),
)
PROGRAM_FAILED = define("backup_program_failed", _("%(program)s failed: %(error)s"))
DISK_FULL = define("backup_disk_full", _("The disk of %(folder)s is full. Nothing was left there."))
RUNNING = define("backup_running", _("Another backup is being written to %(folder)s."))
KEYS_BESIDE = define(
    "backup_keys_beside",
    _("Keys and backups need separate folders: %(keys)s and %(folder)s lie in each other."),
)
NO_BACKUP = define("backup_none", _("%(folder)s holds no backup."))
MANIFEST_UNREADABLE = define("backup_manifest_unreadable", _("The manifest in %(folder)s cannot be read."))
MANIFEST_FORGED = define(
    "backup_manifest_forged",
    _(
        "The manifest in %(folder)s is not the one that was signed, or the key %(key)s of AUDIT_KEYS is another."
    ),
)
KEY_UNKNOWN = define(
    "backup_key_unknown", _("The manifest was signed with the key %(key)s, which AUDIT_KEYS does not name.")
)
KEY_DIFFERS = define(
    "backup_key_differs",
    _(
        "%(setting)s has no key %(key)s with the fingerprint %(fingerprint)s, with which this backup was made. Set "
        "%(setting)s or %(setting)s_FILE to what was kept apart."
    ),
)
NEWER = define(
    "backup_newer",
    _(
        "The backup was made by version %(version)s of the program, with tables that this version does not know "
        "(%(migrations)s). Install that version first."
    ),
)
FILE_MISSING = define("backup_file_missing", _("The file %(file)s of the backup is missing."))
FILE_CHANGED = define("backup_file_changed", _("The file %(file)s of the backup is not as it was written."))
FILE_UNKNOWN = define("backup_file_unknown", _("The backup did not have the file %(file)s when it was made."))
TABLE_DIFFERS = define(
    "backup_table_differs",
    _("Table %(table)s is not as it was: %(count)s rows now, %(expected)s in the backup, or other values."),
)
HASH_DIFFERS = define("backup_hash_differs", _("%(subject)s does not have the hash that it was stored with."))
STORED_MISSING = define("backup_stored_missing", _("%(subject)s: the stored file %(file)s is missing."))
STORED_CHANGED = define(
    "backup_stored_changed", _("%(subject)s: the stored file %(file)s does not have its hash.")
)
FAULTS = define("backup_faults", _("%(count)s faults. The first: %(first)s"))
NOT_EMPTY = define(
    "backup_not_empty",
    _(
        "The database %(database)s is not empty. With --overwrite %(database)s it is replaced, and stays on the server "
        "under another name."
    ),
)
IN_USE = define(
    "backup_in_use",
    _("Others are connected to the database %(database)s. Stop web, workers and beat first."),
)
MAY_NOT_CREATE = define(
    "backup_may_not_create",
    _("The role %(role)s may not create databases. Use the role that owns the tables, with CREATEDB."),
)
SERVER_FAILED = define("backup_server_failed", _("The database server refuses: %(error)s"))

FILING = define("backup_filing", _("Filing no. %(number)s"))
QUESTIONNAIRE = define("backup_questionnaire", _("Questionnaire %(number)s"))
OBSERVATION = define("backup_observation", _("Accepted values of filing no. %(number)s"))
FRAME_IMPORT = define("backup_frame_import", _("Frame file no. %(number)s"))
ATTACHMENT = define("backup_attachment", _("File no. %(number)s beside a sheet"))
JOB = define("backup_job", _("Job no. %(number)s"))
