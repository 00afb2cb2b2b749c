"""Replaces the running web processes by those of the program that lies in their folder now; no request is refused.

    python -m config.web.reload PID        # PID of gunicorn's master, as ExecReload of survey-web.service

The present processes answer until the new ones are warm; then they finish what they have begun and end. When the new
program does not start, the present one goes on. (SIGHUP would start processes of the program that is loaded already.)
"""

import os
import signal
import socket
import sys
import time

import psutil

from config.web.pools import pools

PATIENCE = 300.0  # seconds until the new processes are warm
FINISHING = 30.0  # seconds that the former ones may take to end
PAUSE = 0.1


class ReloadError(Exception):
    """The new program did not start; the former one is still running."""


def successor_of(master: psutil.Process) -> psutil.Process | None:
    """The master that SIGUSR2 has started, as soon as it is there."""
    for child in master.children():
        try:
            if child.environ().get("GUNICORN_PID") == str(master.pid):
                return child
        except psutil.Error:  # it has ended, or is not ours
            continue
    return None


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:
        return {}


def reload(pid: int) -> int:
    """Replace the processes of a master; the process id of the new one. Raises ReloadError."""
    try:
        master = psutil.Process(pid)
    except psutil.NoSuchProcess:
        raise ReloadError(f"there is no process {pid}") from None
    if successor_of(master):
        raise ReloadError("it is being replaced already")
    master.send_signal(signal.SIGUSR2)
    new = _warm(master)
    _notify_systemd(f"MAINPID={new.pid}")
    master.send_signal(signal.SIGTERM)
    try:
        master.wait(FINISHING)
    except psutil.TimeoutExpired:
        raise ReloadError(f"the new master is {new.pid}, but {pid} does not end") from None
    return new.pid


def _warm(master: psutil.Process) -> psutil.Process:
    """The new master when it has loaded the program and started all of its processes."""
    seen = False
    new: psutil.Process | None = None
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        new = successor_of(master)
        if new is None and seen:
            raise ReloadError("the new program ended while it started; its log says why")
        if new is not None:
            seen = True
            if new.is_running() and len(new.children()) >= sum(
                pool.workers for pool in pools(_environment(new))
            ):
                return new
        time.sleep(PAUSE)
    if new is not None:
        new.kill()
    raise ReloadError(f"the new program was not ready after {PATIENCE:.0f} s")


def _notify_systemd(text: str) -> None:
    """Send a line to the service manager, if it has started this command."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.sendto(text.encode(), f"\0{address[1:]}" if address.startswith("@") else address)


def main() -> int:
    """Reload and say the new process id."""
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        print(__doc__, file=sys.stderr)
        return 2
    try:
        print(reload(int(sys.argv[1])))
    except ReloadError as error:
        print(f"Not reloaded: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
