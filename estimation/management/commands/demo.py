"""``manage.py demo``: the whole system with the synthetic country, on this machine, in one command."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections

from config.local import embedded
from config.local.processes import AlreadyRunningError, PortTakenError, Supervisor
from estimation.rehearsal.models import Rehearsal
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """Builds the synthetic country when it is missing, then serves until Ctrl-C."""

    help = "Start database, broker, web server, worker and beat with the synthetic rehearsal country."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Scale, reset, port."""
        parser.add_argument("--scale", type=float, help="share of the national size, 0 < scale <= 1 (1)")
        parser.add_argument("--seed", type=int, default=20251231, help="seed of the rehearsal country")
        parser.add_argument("--reset", action="store_true", help="throw the database away and start over")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--build-only", action="store_true", help="build the country and stop")

    def handle(self, *args: Any, **options: Any) -> None:
        """Build what is missing and serve."""
        from django.conf import settings

        if not settings.LOCAL_MODE:
            raise CommandError(
                "demo brings its own servers; unset DATABASE_URL, REDIS_URL and SECRET_KEY to use it."
            )
        scale = options["scale"]
        if scale is not None and not 0 < scale <= 1:
            raise CommandError("--scale must be above 0 and at most 1.")
        self.began = time.monotonic()
        supervisor = Supervisor(options["host"], options["port"], self.progress)
        try:
            supervisor.guard()
            self.build_and_serve(supervisor, scale, options)
        except AlreadyRunningError as error:
            raise CommandError(f"A demonstration already runs on the data in {error}.") from error
        finally:
            embedded.stop()
            supervisor.release()

    def build_and_serve(self, supervisor: Supervisor, scale: float | None, options: dict[str, Any]) -> None:
        """The country, then the site until Ctrl-C."""
        if options["reset"]:
            connections.close_all()
            embedded.drop_database()
            self.progress("database dropped")
        self.prepare(scale, options["seed"])
        if options["build_only"]:
            return
        connections.close_all()
        try:
            supervisor.run(lambda: self.announce(options["host"], options["port"]))
        except PortTakenError as error:
            raise CommandError(f"{error} is in use; choose another with --port.") from error

    def prepare(self, scale: float | None, seed: int) -> None:
        """Migrate, build the country unless it exists, collect static files."""
        from estimation.rehearsal.publication.services import publish_first_release
        from estimation.rehearsal.services import build_country

        self.progress("PostgreSQL and Valkey are running")
        call_command("migrate", verbosity=0)
        self.progress("tables are up to date")
        built = Rehearsal.objects.order_by("-pk").first()
        if built is None:
            build_country(scale=scale or 1.0, seed=seed, progress=self.progress)
            publish_first_release(year=2025, progress=self.progress)
            self.sweep()
        elif scale is not None and scale != built.scale:
            raise CommandError(
                f"The database holds a country of scale {built.scale:g}; add --reset to build another."
            )
        call_command("collectstatic", verbosity=0, interactive=False)

    def sweep(self) -> None:
        """Run the periodic tasks once, so that every page is complete at the first visit."""
        from estimation.index.tasks import index_new_runs
        from estimation.peers.tasks import build_missing_peers
        from estimation.scoring.tasks import sweep_scores
        from survey.jobs.services import run_waiting
        from survey.review.tasks import sweep_macro

        for task in (sweep_scores, sweep_macro, index_new_runs, build_missing_peers):
            task()
        run_waiting("scores", "index", "peers")
        self.progress("sheets scored and compared with each other, index computed")

    def progress(self, text: str) -> None:
        """One line of progress with the time since the start."""
        self.stdout.write(f"[{time.monotonic() - self.began:6.1f} s] {text}")
        self.stdout.flush()

    def announce(self, host: str, port: int) -> None:
        """Address and accounts."""
        from estimation.rehearsal.services import demo_accounts

        self.progress("ready")
        self.stdout.write(f"\n  http://{host}:{port}/\n")
        self.stdout.write(f"  http://{host}:{port}/zh/ is the public site, for everybody\n")
        self.stdout.write("  All data are synthetic. Password of every account below:")
        accounts = demo_accounts()
        self.stdout.write(f"    {accounts.password}\n")
        for username, description in accounts.rows:
            self.stdout.write(f"  {username:<22}{description}")
        self.stdout.write("\n  Ctrl-C stops everything.\n")
        self.stdout.flush()
