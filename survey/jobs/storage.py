"""Files that jobs make: below JOB_FOLDER, named by job and attempt, removed when no job owns them."""

from pathlib import Path
from re import fullmatch

from django.conf import settings

from survey.jobs.models import Job

State = Job.State


def folder() -> Path:
    """Where files of jobs are kept: outside the web root, for this user only."""
    path = Path(settings.JOB_FOLDER)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def remove(name: str) -> None:
    """Delete a file if there is one; a blank name is none."""
    if name:
        (folder() / name).unlink(missing_ok=True)


def remove_strays() -> int:
    """Delete files that no running or finished job owns: their worker was killed after it had lost the job."""
    names = {path.name for path in folder().iterdir() if fullmatch(r"\d+-[0-9a-f]{32}", path.name)}
    owned = Job.objects.filter(file__in=names, state__in=(State.RUNNING, State.DONE))
    strays = names - set(owned.values_list("file", flat=True))
    for name in strays:
        remove(name)
    return len(strays)
