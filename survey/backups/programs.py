"""PostgreSQL's client programs: which ones are used, and what they say when they fail. Pure."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from django.conf import settings

from config.local import embedded
from survey.backups import messages
from survey.exceptions import PolicyDenied, StorageFull

FULL = re.compile("No space left on device|Disk quota exceeded|File too large")


def program(name: str, version: int) -> str:
    """The path of a program of this major version of PostgreSQL, or of the next newer one that is there.

    The folder POSTGRES_PROGRAMS alone if it is set; else the search path, Debian's folders and the wheel of the
    demonstration. Raises PolicyDenied.
    """
    versions = {path: _major(path) for path in _candidates(name)}
    fitting = [(major, path) for path, major in versions.items() if major >= version]
    if not fitting:
        raise PolicyDenied(messages.PROGRAM_MISSING(program=name, version=version))
    return min(fitting)[1]


def run(folder: Path, command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run a program that reads or writes a folder. Raises StorageFull, or PolicyDenied with what it said."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    done = subprocess.run(  # noqa: S603 a program of PostgreSQL, arguments of ours
        [*command],
        env={**kept, "LC_ALL": "C", **environment},
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode == 0:
        return
    if done.returncode == -signal.SIGXFSZ or FULL.search(done.stderr):
        raise StorageFull(messages.DISK_FULL(folder=folder))
    lines = [line for line in done.stderr.splitlines() if re.search(r"error|fatal", line, re.IGNORECASE)]
    error = (lines or done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[0]
    raise PolicyDenied(messages.PROGRAM_FAILED(program=Path(command[0]).name, error=error))


def major_of(path: str) -> int:
    """The major version of a program."""
    return _major(path)


def _candidates(name: str) -> Iterator[str]:
    if settings.POSTGRES_PROGRAMS:
        yield str(Path(settings.POSTGRES_PROGRAMS) / name)
        return
    if path := shutil.which(name):
        yield path
    yield from map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    yield from embedded.postgres_program(name)


@cache
def _major(path: str) -> int:
    """0 for a program that is not there or does not say its version."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)  # noqa: S603 a program of PostgreSQL
    except (OSError, subprocess.CalledProcessError):
        return 0
    match = re.search(r"\(PostgreSQL\) (\d+)", done.stdout)
    return int(match[1]) if match else 0
