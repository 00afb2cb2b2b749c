"""The site on nine hosts of which two are lost: ``python -m tests.hosts``, as root.

People fill, file, accept, compute and publish through the proxy; a web host fails while they do, and a worker while it
computes. Prints a table of what was acknowledged and what is stored; ends with 0 only if both are the same.
"""

import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.drills import verdict
from tests.drills.system import wait_for
from tests.hosts.network import PREFIX, Network, ip, remove_left
from tests.hosts.scenario import Scenario
from tests.hosts.site import Site


def refusal() -> str:
    """Why hosts cannot be made here; empty when they can."""
    if os.geteuid() != 0:
        return "Network namespaces need root: run this command as root."
    missing = [name for name in ("ip", "unshare", "setpriv", "openssl") if shutil.which(name) is None]
    if missing:
        return f"Missing programs: {', '.join(missing)} (packages iproute2, util-linux, openssl)."
    try:
        ip("netns", "list")
    except RuntimeError as error:
        return f"Network namespaces are not allowed here: {error}."
    return ""


def table(scenario: Scenario) -> list[verdict.Line]:
    """What became of everything that was acknowledged."""
    ask = scenario.site.database.ask
    lines = verdict.lines(scenario.writers, [], ask)
    states = dict(ask("SELECT id, state FROM survey_submission"))
    filings = dict(ask("SELECT submission_id, count(*) FROM survey_filing GROUP BY 1"))
    filed, accepted = verdict.Line("filed"), verdict.Line("accepted")
    for line, sheets in ((filed, scenario.filed), (accepted, scenario.accepted)):
        line.acknowledged = len(sheets)
    for sheet in scenario.filed:
        filed.count(f"filing of sheet {sheet}", filings.get(sheet, 0))
    for sheet in scenario.accepted:
        accepted.count(f"sheet {sheet}", int(states[sheet] == "accepted"))
    runs = verdict.Line("runs", acknowledged=1)
    ends = "SELECT count(*) FROM survey_auditevent WHERE action = 'finish_run' AND subject_id = %s"
    runs.count(f"end of run {scenario.run}", ask(ends, str(scenario.run))[0][0])
    return [*lines, filed, accepted, runs]


def report(scenario: Scenario, lines: list[verdict.Line]) -> bool:
    """Print the table; True when nothing is lost, doubled or stuck, and every save was accepted."""
    print(f"\n{'kind':<12}{'acknowledged':>14}{'lost':>8}{'doubled':>9}{'stuck':>7}")
    for line in lines:
        print(f"{line.kind:<12}{line.acknowledged:>14}{line.lost:>8}{line.doubled:>9}{line.stuck:>7}")
        for example in line.examples[:5]:
            print(f"    {example}")
    refused = [save for writer in scenario.writers for save in writer.refused]
    print(
        f"hosts lost: {', '.join(scenario.lost)}; files of the report read: {scenario.files}; refused saves: {refused}"
    )
    repeats = sum(browser.repeats for browser in scenario.browsers)
    longest = max(browser.longest for browser in scenario.browsers)
    print(f"requests repeated by browsers: {repeats}; longest time to an answer: {longest:.1f} s")
    return all(line.is_clean for line in lines) and not refused


def main() -> int:
    """Run the scenario on new hosts."""
    if reason := refusal():
        print(reason, file=sys.stderr)
        return 2
    began = time.monotonic()

    def progress(text: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {text}", flush=True)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the hosts are removed before the end
    os.umask(0o022)  # PostgreSQL's account must be able to enter the folders
    remove_left()
    folder = Path(tempfile.mkdtemp(prefix="survey-hosts-"))
    folder.chmod(0o755)
    try:
        with Network(folder, f"{PREFIX}{os.getpid()}") as network:
            site = Site(network, progress)
            scenario = Scenario(site, progress)
            try:
                print(site.manage("web1", "check", "--deploy", "--fail-level", "ERROR").strip())
                scenario.wait_until_open()
                progress("the site is open")
                scenario.execute()
                scenario.end()
                drained = "SELECT count(*) = 0 FROM survey_job WHERE state IN ('waiting', 'running')"
                wait_for(lambda: site.database.ask(drained)[0][0], "jobs do not end", 300)
                return 0 if report(scenario, table(scenario)) else 1
            except (RuntimeError, TimeoutError) as error:
                print(f"{error}\n{site.logs()}", file=sys.stderr)
                return 1
            finally:
                scenario.stop.set()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
