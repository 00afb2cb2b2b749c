"""An upgrade, from a release that runs to the program of this folder, with people at work.

    uv run python -m tests.upgrade --from REV

REV is checked out beside the repository with an environment of its own (``uv sync --locked``); without ``--from`` it is
the recorded release ([tool.upgrade] of pyproject.toml). The release makes tables and data and serves them. The new
program migrates under it; then people work on the old program, on the new one, and on both in turn; at last the new
one takes the old one's place in the same processes' sockets. All the time visitors ask every pool of the old host.
Prints what succeeded, what did not and the verdict; ends with 0 only if nothing failed.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

from config.web.reload import ReloadError, reload
from tests.drills.system import NOT_INHERITED, free_port, wait_for
from tests.upgrade import released, scenarios
from tests.upgrade.hosts import Visitor, WebHost

ROOT = released.ROOT


class UpgradeError(Exception):
    """A command of one of the releases failed."""


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    """What a command printed. Raises UpgradeError with the end of its errors."""
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise UpgradeError(f"{' '.join(command)}: {done.stderr[-1500:]}")
    return done.stdout


def check_out(revision: str, folder: Path, environment: dict[str, str]) -> Path:
    """The files of a revision with an environment of their own."""
    folder.mkdir()
    archive = subprocess.Popen(["git", "archive", revision], cwd=ROOT, stdout=subprocess.PIPE)  # noqa: S607 git of the machine
    subprocess.run(["tar", "-x", "-C", str(folder)], stdin=archive.stdout, check=True)  # noqa: S607 tar of the machine
    if archive.stdout is None or archive.wait():
        raise UpgradeError(f"there is no revision {revision}")
    archive.stdout.close()
    clean = {name: value for name, value in environment.items() if name != "VIRTUAL_ENV"}
    run([shutil.which("uv") or "uv", "sync", "--locked", "--all-groups", "--quiet"], folder, clean)
    return folder


class Upgrade:
    """Servers, the hosts of both releases with a proxy each, and the table of what happened."""

    def __init__(self, folder: Path, revision: str) -> None:
        self.folder, self.failed, self.number = folder, 0, 0
        clean = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        self.environment = clean | {
            "LOCAL_DIR": str(folder / "data"),
            "PLAIN_STATIC": "1",
            "STATEMENT_SECONDS": "60",
            "PASSWORD_WAIT_SECONDS": "60",
            "STATIC_ROOT": str(folder / "static"),
        }
        self.processes: list[subprocess.Popen[Any]] = []
        self.hosts: list[WebHost] = []
        self.old = self.step("check out and install", lambda: check_out(revision, folder / "old", clean))
        self.data = self.step("tables and data of the release", self._build)
        self.releases = {"old": self.old, "new": ROOT}

    def step(self, name: str, act: Callable[[], Any]) -> Any:
        """Do something and print how long it took. A failure ends the upgrade."""
        began = time.monotonic()
        result = act()
        print(f"  {name:<56}{time.monotonic() - began:7.1f} s", flush=True)
        return result

    def _build(self) -> dict[str, Any]:
        builder = subprocess.Popen(
            [str(self.old / ".venv/bin/python"), "-P", str(ROOT / "tests/upgrade/build.py")],
            cwd=self.old,
            env=self.environment | {"PYTHONPATH": str(self.old)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self.folder / "build.log").open("wb"),
        )
        self.processes.append(builder)
        if builder.stdout is None or builder.stdout.readline().strip() != b"ready":
            raise UpgradeError((self.folder / "build.log").read_text()[-3000:])
        data = scenarios.read(self.folder / "data" / "data.json")
        self.environment |= data["environment"] | {"BEHIND_PROXY": "1"}
        return data

    def start(self, release: str) -> tuple[WebHost, int]:
        """A host that runs a release, and the port of its proxy."""
        releases = dict(sorted(self.releases.items(), key=lambda item: item[0] != release))
        host = WebHost(self.folder / release[:1], releases, self.environment)
        self.hosts.append(host)
        host.wait()
        port, folder = free_port(), host.folder / "proxy"
        write = [".venv/bin/python", "manage.py", "write_proxy_files", "--out", str(folder)]
        write += ["--bind", str(host.folder / "run"), "--listen", f"127.0.0.1:{port}"]
        write += ["--user", "root"] if os.geteuid() == 0 else []
        command = run(write, self.releases[release], self.environment).split()
        self.processes.append(
            subprocess.Popen(command, cwd=host.folder, env=self.environment, stderr=subprocess.DEVNULL)
        )
        browser = scenarios.Browser([port])

        def answers() -> bool:
            try:
                browser.send("GET", "/health/")
            except scenarios.StepError:
                return False
            return True

        wait_for(answers, "the proxy does not answer")
        return host, port

    def carry_out(self, name: str, ports: list[int]) -> None:
        """One scenario; prints how far it came."""
        scenario, self.number = self.data["scenarios"][self.number], self.number + 1
        done: list[str] = []
        try:
            done.extend(scenarios.carry_out(self.data, scenario, ports))  # keeps what came before a failure
            print(f"  {name:<56}{', '.join(done)}", flush=True)
        except scenarios.StepError as error:
            self.failed += 1
            print(f"  {name:<56}FAILED after {', '.join(done) or 'nothing'}: {error}", flush=True)

    def go(self) -> int:
        """Upgrade; the number of failures."""
        old, old_port = self.step("the release serves", lambda: self.start("old"))
        self.carry_out("old program, old tables", [old_port])
        stop = Event()
        visitors = [Visitor(path, stop) for path in old.sockets]
        for visitor in visitors:
            visitor.start()
        migrate = [".venv/bin/python", "manage.py", "migrate"]
        printed = self.step(
            "the new program migrates, the old one serves", lambda: run(migrate, ROOT, self.environment)
        )
        applied = [
            line.strip().split()[1].rstrip(".") for line in printed.splitlines() if line.endswith(" OK")
        ]
        print(f"    applied: {', '.join(applied) or 'nothing: the release has all migrations'}")
        self.carry_out("old program, new tables", [old_port])
        new, new_port = self.step("a second host with the new program", lambda: self.start("new"))
        self.carry_out("new program beside the old one", [new_port])
        self.carry_out("both in turn", [old_port, new_port])
        old.switch("new")
        old.master = self.step("the first host changes to the new program", lambda: reload(old.master))
        self.carry_out("new program on both hosts", [old_port, new_port])
        stop.set()
        for visitor in visitors:
            visitor.join()
        failures = sum(len(visitor.failures) for visitor in visitors)
        print(
            f"  visitors: {sum(visitor.answered for visitor in visitors)} answered, {failures} not answered"
        )
        if {*old.running(), *new.running()} != {"new"}:
            print("  FAILED: the old program still runs")
            self.failed += 1
        return self.failed + failures

    def stop(self) -> None:
        """End everything in reverse."""
        for host in self.hosts:
            host.stop()
        for process in reversed(self.processes):
            if process.stdin:
                process.stdin.close()
            else:
                process.terminate()
            process.wait(60)


def main() -> int:
    """Upgrade and say the verdict."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", dest="revision", default=released.commit(), help="the release that runs")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="upgrade-"))
    upgrade: Upgrade | None = None
    print(f"upgrade from {given.revision[:12]}", flush=True)
    try:
        upgrade = Upgrade(folder, given.revision)
        failures = upgrade.go()
    except (UpgradeError, ReloadError, TimeoutError) as error:
        print(f"  FAILED: {error}")
        failures = 1
    finally:
        if upgrade:
            upgrade.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"verdict: {'nothing failed' if not failures else f'{failures} failed'}")
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
