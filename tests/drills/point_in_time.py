"""Recovery to a moment with pgBackRest, tried: ``python -m tests.drills.point_in_time``.

A PostgreSQL of Debian with the settings of config/deploy/pgbackrest: full backup, more writes, a moment, a disaster and
writes after it, the data lost, recovery to the moment. What was committed until then is there with its hashes, what
came later is not; ``verify_audit`` names the lost blocks until the recovery is recorded. Needs the Debian packages
``postgresql`` and ``pgbackrest``; ends with 0 only if everything was found so.
"""

import configparser
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from io import StringIO
from pathlib import Path
from urllib.parse import quote

from config.local import embedded
from tests.drills.system import NOT_INHERITED, ROOT, free_port

SHIPPED = ROOT / "config" / "deploy" / "pgbackrest"
PATIENCE = 300  # seconds for PostgreSQL to start


class Cluster:
    """A PostgreSQL server with a repository of pgBackRest, all in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.data = folder, free_port(), folder / "data"
        self.programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.config = folder / "pgbackrest.conf"
        self.environment = {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "PGBACKREST_CONFIG": str(self.config),
            "PGBACKREST_REPO1_CIPHER_PASS": secrets.token_urlsafe(32),
        }

    def run(self, *command: str | Path) -> str:
        """Run a program as the owner of the cluster. Raises CalledProcessError with what it said."""
        done = subprocess.run(
            [str(part) for part in command],
            env=self.environment,
            cwd=self.folder,
            user=self.user if os.geteuid() == 0 else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            print(done.stdout, file=sys.stderr)
            done.check_returncode()
        return done.stdout

    def create(self) -> None:
        """Make the cluster with the shipped settings, in this folder instead of the system's."""
        parser = configparser.ConfigParser()
        parser.read(SHIPPED / "pgbackrest.conf")
        places = {"repo1-path": "repository", "log-path": "log", "lock-path": "lock", "spool-path": "spool"}
        parser["global"].update({name: str(self.folder / place) for name, place in places.items()})
        parser["survey"] = {
            "pg1-path": str(self.data),
            "pg1-port": str(self.port),
            "pg1-socket-path": str(self.folder),
            "pg1-user": "postgres",
        }
        for place in places.values():
            (self.folder / place).mkdir()
        with self.config.open("w") as file:
            parser.write(file, space_around_delimiters=False)
        if os.geteuid() == 0:
            shutil.chown(self.folder, self.user)
            for path in self.folder.iterdir():
                shutil.chown(path, self.user)
        self.run(
            self.programs / "initdb",
            "-D",
            self.data,
            "-U",
            "postgres",
            "--auth=trust",
            "-E",
            "UTF8",
            "--locale=C",
        )
        with (self.data / "postgresql.conf").open("a") as file:
            file.write((SHIPPED / "postgresql.conf").read_text())
            file.write(
                f"port = {self.port}\nlisten_addresses = ''\nunix_socket_directories = '{self.folder}'\n"
            )

    def start(self) -> None:
        """Start the server."""
        log = self.folder / "server.log"
        self.run(self.programs / "pg_ctl", "-D", self.data, "-l", log, "-w", "-t", str(PATIENCE), "start")

    def stop(self) -> None:
        """Stop the server."""
        self.run(self.programs / "pg_ctl", "-D", self.data, "-w", "-m", "immediate", "stop")

    def sql(self, statement: str, database: str = "survey") -> str:
        """The answer of a statement."""
        return self.run(
            self.programs / "psql",
            "-h",
            self.folder,
            "-p",
            str(self.port),
            "-U",
            "postgres",
            "-AtXq",
            "-c",
            statement,
            database,
        ).strip()

    def pgbackrest(self, *arguments: str) -> str:
        """Run pgBackRest on the stanza."""
        return self.run("pgbackrest", "--stanza=survey", *arguments)

    def recover(self, moment: str) -> None:
        """Restore the last backup and play the log up to a moment."""
        self.pgbackrest("--type=time", f"--target={moment}", "--target-action=promote", "restore")
        self.start()
        end = time.monotonic() + PATIENCE
        while self.sql("SELECT pg_is_in_recovery()") == "t":
            if time.monotonic() > end:
                raise TimeoutError("the recovery does not end")
            time.sleep(0.2)


class Verdict:
    """What was expected and what was found, line by line."""

    def __init__(self) -> None:
        self.failed = 0

    def expect(self, what: str, *, holds: bool, actual: object = "") -> None:
        """Print one line."""
        self.failed += not holds
        print(f"{'ok' if holds else 'FAILED':7} {what}{f': {actual}' if actual != '' else ''}", flush=True)


def audit_result() -> tuple[bool, str]:
    """Whether ``verify_audit`` finds no fault, and what it prints."""
    from django.core.management import call_command
    from django.core.management.base import CommandError

    out, errors = StringIO(), StringIO()
    try:
        call_command("verify_audit", stdout=out, stderr=errors)
    except CommandError as error:
        return False, f"{errors.getvalue().strip()} | {error}"
    return True, " | ".join(out.getvalue().split("\n")).strip(" |")


def write(number: int) -> None:
    """A filing, its events and audit rows, all sealed and the head noted."""
    from survey import audit
    from survey.ledgers.sealing.services import seal
    from survey.submissions.lifecycle.states import State
    from tests.factories import make_sheet, make_unit

    for _sheet in range(number):
        make_sheet(make_unit("CAT12"), State.SUBMITTED)
    audit.record(by=None, action="audit_searched", rows=number)
    for name in ("audit", "answers"):
        seal(name, partial_after=timedelta(0))


def drill(cluster: Cluster, verdict: Verdict) -> None:
    """Backup, writes, moment, disaster, recovery."""
    from django.core.management import call_command
    from django.db import connection

    from survey.backups.storage import checksums, close
    from survey.ledgers.storage import noted_heads
    from survey.submissions.lifecycle.filing.selectors import is_intact
    from survey.submissions.models import Filing
    from tests.factories import prepare_base

    call_command("migrate", verbosity=0)
    prepare_base()
    write(2)
    began = time.monotonic()
    cluster.pgbackrest("--type=full", "backup")
    print(f"        full backup: {time.monotonic() - began:.1f} s")
    write(3)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()::text")
        moment = cursor.fetchone()[0]
    before, head = checksums(), noted_heads()["audit"]["number"]
    time.sleep(1)
    write(4)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE estimation_release CASCADE")
    cluster.sql("SELECT pg_switch_wal()")
    cluster.pgbackrest("check")
    lost = noted_heads()["audit"]["number"]
    close()
    cluster.stop()
    shutil.rmtree(cluster.data)
    print(f"        moment {moment}; blocks sealed then {head}, at the disaster {lost}; the data are deleted")
    cluster.data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(cluster.data, cluster.user)
    began = time.monotonic()
    cluster.recover(moment)
    print(f"        recovery: {time.monotonic() - began:.1f} s")
    verdict.expect(
        "every table is as it was at the moment", holds=checksums() == before, actual=f"{len(before)} tables"
    )
    filings = [*Filing.objects.all()]
    verdict.expect("filings until the moment", holds=len(filings) == 5, actual=len(filings))
    verdict.expect("their hashes", holds=all(is_intact(filing) for filing in filings))
    clean, printed = audit_result()
    verdict.expect(
        "verify_audit names the lost blocks",
        holds=not clean and f"block {lost} was noted" in printed,
        actual=printed,
    )
    call_command(
        "record_restore",
        "--by",
        "operator",
        "--reason",
        "a table was dropped",
        "--source",
        f"pgBackRest, {moment}",
    )
    clean, printed = audit_result()
    verdict.expect(
        "verify_audit tells the recovery", holds=clean and f"up to block {lost}" in printed, actual=printed
    )
    write(1)
    clean, printed = audit_result()
    verdict.expect(
        "the ledgers go on", holds=clean and noted_heads()["audit"]["number"] > head, actual=printed
    )


def main() -> int:
    """Run the drill in a folder of its own."""
    if shutil.which("pgbackrest") is None or not [*Path("/usr/lib/postgresql").glob("*/bin/initdb")]:
        print("needs the Debian packages postgresql and pgbackrest")
        return 2
    for name in NOT_INHERITED:
        os.environ.pop(name, None)
    folder = Path(tempfile.mkdtemp(prefix="point-in-time-"))
    cluster, verdict = Cluster(folder), Verdict()
    try:
        cluster.create()
        print(
            cluster.run("pgbackrest", "version").strip(),
            "and",
            cluster.run(cluster.programs / "postgres", "-V").strip(),
        )
        cluster.start()
        cluster.sql("CREATE DATABASE survey TEMPLATE template0 LOCALE 'C' ENCODING 'UTF8'", "postgres")
        cluster.pgbackrest("stanza-create")
        site = folder / "site"
        site.mkdir()
        os.environ["LOCAL_DIR"] = str(site)
        embedded.prepare_environment()
        os.environ["DATABASE_URL"] = (
            f"postgresql://postgres@:{cluster.port}/{quote(str(folder), safe='')}/survey"
        )
        set_up_django()
        drill(cluster, verdict)
    finally:
        if (cluster.data / "postmaster.pid").exists():
            cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print("all as expected" if not verdict.failed else f"{verdict.failed} expectations failed")
    return 1 if verdict.failed else 0


def set_up_django() -> None:
    """Settings read the environment that was just written; nothing in it starts a server."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django
    from django.utils import translation

    django.setup()
    translation.activate("en")


if __name__ == "__main__":
    sys.exit(main())
