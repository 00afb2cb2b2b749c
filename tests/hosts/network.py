"""Hosts as network namespaces on one bridge. Needs root and ``ip`` (iproute2)."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
NETWORK = "10.77.0.0/24"
PREFIX = "survey"  # of the names of namespaces, with the number of the process that has made them
LAN = "lan"  # the namespace of the bridge: nothing changes in that of the machine
# Sets the name of the host and becomes the command.
NAMED = ("unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"')


def ip(*arguments: str) -> str:
    """Run ``ip``; what it printed. Raises RuntimeError with what it said."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)  # noqa: S607 where the system keeps it
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


class Host:
    """One host: a namespace with an address, a folder, and processes that end with it."""

    def __init__(self, network: "Network", name: str, number: int) -> None:
        self.name, self.address = name, f"10.77.0.{number}"
        self.namespace = f"{network.prefix}-{name}"
        self.folder = network.folder / name
        self.folder.mkdir(mode=0o755)
        port = f"port{number}"
        ip("netns", "add", self.namespace)
        ip("-n", network.lan, "link", "add", port, "type", "veth", "peer", "eth0", "netns", self.namespace)
        ip("-n", network.lan, "link", "set", port, "master", "bridge", "up")
        ip("-n", self.namespace, "addr", "add", f"{self.address}/24", "dev", "eth0")
        ip("-n", self.namespace, "link", "set", "lo", "up")
        ip("-n", self.namespace, "link", "set", "eth0", "up")

    @property
    def prefix(self) -> tuple[str, ...]:
        """Put before a command it runs on this host."""
        return ("ip", "netns", "exec", self.namespace, *NAMED, self.name)

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """Start a process; its output goes to ``log`` in the folder of the host."""
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*self.prefix, *command], cwd=ROOT, env=dict(environment), stdout=log, stderr=log
            )

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> str:
        """Run a command to its end; its output. Raises RuntimeError with what it said when it fails."""
        line = [*self.prefix, *command]
        done = subprocess.run(line, cwd=ROOT, env=dict(environment), capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(
                f"{self.name}: {' '.join(command)}\n{done.stdout[-1500:]}{done.stderr[-3000:]}"
            )
        return done.stdout

    def processes(self) -> list[int]:
        """Numbers of the processes that run on this host."""
        return [int(pid) for pid in ip("netns", "pids", self.namespace).split()]

    def kill(self) -> None:
        """SIGKILL to every process of the host."""
        for pid in self.processes():
            if pid != os.getpid():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue

    def lose(self) -> None:
        """The host fails: first its network, so that nobody hears how its processes end."""
        ip("-n", self.namespace, "link", "set", "eth0", "down")
        self.kill()

    def enter(self) -> None:
        """Use the network of this host in the calling thread and in threads that it starts."""
        with Path("/run/netns", self.namespace).open() as handle:
            os.setns(handle.fileno(), os.CLONE_NEWNET)


class Network:
    """All hosts, in a ``with`` block; at its end every process is killed and every namespace deleted."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self.folder, self.prefix = folder, prefix
        self.lan = f"{prefix}-{LAN}"
        self.hosts: dict[str, Host] = {}

    def __enter__(self) -> "Network":
        ip("netns", "add", self.lan)
        ip("-n", self.lan, "link", "add", "bridge", "type", "bridge")
        ip("-n", self.lan, "link", "set", "bridge", "up")
        return self

    def add(self, name: str) -> Host:
        """A new host with the next address."""
        self.hosts[name] = Host(self, name, len(self.hosts) + 2)
        return self.hosts[name]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        names = [name for name in ip("netns", "list").split() if name.startswith(f"{self.prefix}-")]
        hosts = list(self.hosts.values())
        for host in hosts:
            host.kill()
        end = time.monotonic() + 10
        while any(set(host.processes()) - {os.getpid()} for host in hosts) and time.monotonic() < end:
            time.sleep(0.1)
        for name in names:
            ip("netns", "delete", name)


def remove_left() -> None:
    """Remove the hosts of runs that were killed before they could do it."""
    for name in ip("netns", "list").split():
        number = name.removeprefix(PREFIX).partition("-")[0]
        if name.startswith(PREFIX) and number.isdecimal() and not Path("/proc", number).exists():
            for pid in ip("netns", "pids", name).split():
                os.kill(int(pid), signal.SIGKILL)
            ip("netns", "delete", name)
