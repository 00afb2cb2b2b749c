"""``manage.py write_proxy_files``: configuration and error pages of nginx, for the servers of production."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from config.web.pools import pools
from config.web.proxy import Proxy, program, upstreams_of, write
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """Renders config/deploy/nginx/nginx.conf with what this installation says."""

    help = "Write nginx.conf, its headers and its error pages into a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Folder, addresses, certificate."""
        parser.add_argument(
            "--out", type=Path, required=True, help="folder of the proxy, absolute or relative"
        )
        parser.add_argument("--bind", nargs="+", required=True, help="WEB_BIND of every web machine")
        parser.add_argument("--listen", default="443", help="port, or address and port (443)")
        parser.add_argument("--plain-listen", default="80", help="port that redirects to HTTPS (80)")
        parser.add_argument("--certificate", default="", help="file of the certificate chain")
        parser.add_argument("--key", default="", help="file of its key")
        parser.add_argument("--user", default="", help="account of nginx when root starts it")
        parser.add_argument("--connections", type=int, default=200, help="at a time from one address (200)")
        parser.add_argument(
            "--attempts", type=int, default=5, help="to sign in a second from one address (5)"
        )
        parser.add_argument("--access-log", default="off", help="file, or off")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the files and say how nginx is started."""
        from django.conf import settings

        if bool(options["certificate"]) != bool(options["key"]):
            raise CommandError("--certificate and --key belong together.")
        if min(options["connections"], options["attempts"]) < 1:
            raise CommandError("--connections and --attempts must be at least 1.")
        try:
            machines = [upstreams_of(bind) for bind in options["bind"]]
        except ValueError as error:
            raise CommandError(f"{error}.") from error
        same = (
            "listen",
            "plain_listen",
            "certificate",
            "key",
            "user",
            "connections",
            "attempts",
            "access_log",
        )
        folder = options["out"].resolve()
        try:
            path = write(
                Proxy(
                    folder=folder,
                    upstreams={
                        pool.name: [address for machine in machines for address in machine[pool.name]]
                        for pool in pools()
                    },
                    hosts=settings.ALLOWED_HOSTS,
                    **{name: options[name] for name in same},
                )
            )
        except OSError as error:
            raise CommandError(f"{folder}: {error.strerror}.") from error
        self.stdout.write(f"{' '.join(program())} -p {folder} -c {path}\n")
