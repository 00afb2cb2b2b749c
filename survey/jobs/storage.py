"""Files of jobs: in JOB_FOLDER, named by job and attempt, removed when no job refers to them."""

from pathlib import Path
from re import fullmatch

from django.conf import settings

from survey.jobs.models import Job

State = Job.State


def folder() -> Path:
    """The folder of the files of jobs: outside the web root, readable only by this system user."""
    path = Path(settings.JOB_FOLDER)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def remove(name: str) -> None:
    """Delete a file if it exists; a blank name means none."""
    if name:
        (folder() / name).unlink(missing_ok=True)


def remove_orphans() -> int:
    """Delete files that no running or finished job refers to: their worker was killed after it lost the claim."""
    names = {path.name for path in folder().iterdir() if fullmatch(r"\d+-[0-9a-f]{32}", path.name)}
    owned = Job.objects.filter(file__in=names, state__in=(State.RUNNING, State.DONE))
    orphans = names - set(owned.values_list("file", flat=True))
    for name in orphans:
        remove(name)
    return len(orphans)


def missing() -> list[Job]:
    """Finished jobs whose file does not exist."""
    done = Job.objects.filter(state=State.DONE).exclude(file="").order_by("pk")
    return [job for job in done if not (folder() / job.file).is_file()]
