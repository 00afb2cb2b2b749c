"""Files of jobs, named by job and attempt, removed when no job refers to them."""

from re import escape, fullmatch
from typing import IO

from django.core.files.base import File

from config.files.folder import PARTIAL
from survey import files
from survey.files import Store
from survey.jobs.models import Job

State = Job.State


def write(name: str, content: IO[bytes]) -> None:
    """Store the file of an attempt. Raises StorageFull."""
    files.write(Store.JOBS, name, content)


def opened(job: Job) -> "File[bytes]":
    """The open file of a finished job. Raises FileMissing."""
    return files.opened(Store.JOBS, job.file)


def remove(name: str) -> None:
    """Delete a file if it exists; a blank name means none. While its server does not answer it becomes an orphan."""
    if name:
        files.discard(Store.JOBS, name)


def remove_orphans() -> int:
    """Delete files, whole or half-written, that no running or finished job refers to: their worker was killed."""
    whole_names = {
        entry.name: match[1]
        for entry in files.entries(Store.JOBS)
        if (match := fullmatch(rf"(\d+-[0-9a-f]{{32}})(\.[0-9a-f]+{escape(PARTIAL)})?", entry.name))
    }
    owned = Job.objects.filter(file__in=set(whole_names.values()), state__in=(State.RUNNING, State.DONE))
    kept = set(owned.values_list("file", flat=True))
    orphans = [name for name, whole in whole_names.items() if whole not in kept]
    for name in orphans:
        remove(name)
    return len(orphans)
