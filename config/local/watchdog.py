"""Ends the processes of a supervisor that was killed: ``python -m config.local.watchdog FOLDER``, started by it.

It reads a pipe whose other end the supervisor alone holds. When the supervisor ends, however that happens, the
pipe ends, and what the record of the folder still names is ended. Needs no Django.
"""

import os
import signal
import sys
from pathlib import Path

from config.local import orphans


def main(folder: Path) -> None:
    """Wait for the end of the supervisor, then end what it has left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while sys.stdin.buffer.read(1):
        pass
    own = os.getpid()
    orphans.end(process for process in orphans.read(folder) if process.pid != own)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
