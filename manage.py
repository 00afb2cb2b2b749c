#!/usr/bin/env python
"""The command line. Without DATABASE_URL it brings its own PostgreSQL and Valkey (see config/local/embedded.py)."""

import os
import sys

# Commands that never touch a server: they must work in a checkout where nothing has been started.
OFFLINE = {"check_questionnaires", "collectstatic", "compilemessages", "makemessages", "print_states", "help"}


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config.local import embedded

    if embedded.uses_local_servers():
        embedded.prepare_environment()
        if sys.argv[1:2] == ["demo"]:
            take_over()
        if len(sys.argv) > 1 and sys.argv[1] not in OFFLINE:
            embedded.start()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


def take_over() -> None:
    """Before the servers are started: end what a killed demonstration has left, refuse to run beside another."""
    from config.local import processes

    try:
        if found := processes.take_over():
            print(f"left by a demonstration that was killed, now ended: {', '.join(found)}", flush=True)
    except processes.AlreadyRunningError as error:
        sys.exit(f"A demonstration already runs on the data in {error}; stop it first, or set LOCAL_DIR.")


if __name__ == "__main__":
    main()
