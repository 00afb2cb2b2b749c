"""Why a computation of a run ended without a result: stored by workers, read on pages."""

from django.utils.translation import gettext_lazy as _

from survey.sentences import define

# Stored for runs that ended before background work had jobs.
OUT_OF_MEMORY = define("run_out_of_memory", _("The computation ran out of memory."))
STOPPED = define("run_stopped", _("The computation stopped: %(error)s"))
LOST = define(
    "run_lost",
    _("The worker stopped %(count)s times while it computed this run. Look at the worker's memory and log."),
)
CHUNK_LOST = define(
    "bootstrap_lost",
    _("A worker stopped %(count)s times while it computed a chunk. Look at its memory and log."),
)
PROGRAM_CHANGED = define(
    "bootstrap_program_changed", _("The program has changed since this bootstrap was asked for.")
)
