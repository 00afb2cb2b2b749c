"""Command of the mutation tests. Targets and their tests stand in pyproject.toml, ``tool.mutation``."""

import argparse
import importlib
import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest
from coverage import CoverageData

from config.local import embedded
from tests.mutation.mutants import Mutant, all_mutants, changed, import_changed, sampled

ROOT = Path(__file__).resolve().parents[2]
PYTEST = ("-n", "0", "-q", "-p", "no:cacheprovider")
# Every mutant is a process that imports the program anew; what is not the program is imported once, before.
FOREIGN = (
    "numpy",
    "scipy.optimize",
    "scipy.sparse",
    "scipy.stats",
    "hypothesis",
    "celery",
    "jsonschema",
)
LONGEST_COMMAND = 400  # tests named one by one; more run as whole folders
PATIENCE = 120.0  # seconds added to three times the unchanged run before a mutant counts as endless


class Target:
    """One entry of the configuration: the folders that are changed, and the tests that must notice."""

    def __init__(self, name: str, mutate: list[str], tests: list[str]) -> None:
        self.name, self.mutate, self.tests = name, mutate, tests
        self.seconds = 0.0
        self.reached: dict[str, dict[int, list[str]]] = {}
        self.fresh_database = False

    def measure(self, data: Path) -> None:
        """Run the unchanged program: it must be green, and tells which test reaches which line."""
        begun = time.monotonic()
        cover = [
            "-m",
            "coverage",
            "run",
            f"--data-file={data}",
            f"--source={','.join(self.mutate)}",
            "-m",
            "pytest",
        ]
        command = [
            sys.executable,
            *cover,
            *PYTEST,
            "-p",
            "tests.mutation.contexts",
            "--create-db",
            "--reuse-db",
        ]
        result = subprocess.run([*command, *self.tests], cwd=ROOT, capture_output=True, text=True)
        if result.returncode != 0:
            sys.exit(
                f"{self.name}: the tests fail without any change (exit code {result.returncode})\n"
                f"{result.stdout[-2000:]}{result.stderr[-2000:]}"
            )
        self.seconds = time.monotonic() - begun
        lines = CoverageData(str(data))
        lines.read()
        for file in lines.measured_files():
            self.reached[str(Path(file).relative_to(ROOT))] = lines.contexts_by_lineno(file)

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Tests that reach the line; all of them for lines that run when the module is imported."""
        lines = self.reached.get(mutant.path, {})
        # A line inside an expression of several lines may have no entry of its own.
        result = lines.get(max((line for line in lines if line <= mutant.line), default=0), [])
        return self.tests if "" in result or len(result) > LONGEST_COMMAND else result

    def verdict(self, mutant: Mutant) -> tuple[str, str]:
        """``killed``, ``survived``, ``endless`` or ``not reached``, and the changed lines."""
        source, text = changed(ROOT, mutant)
        tests = self.tests_of(mutant)
        if not tests:
            return "not reached", text
        database = ("--create-db", "--reuse-db") if self.fresh_database else ("--reuse-db",)
        child = os.fork()
        if child == 0:
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.dup2(1, 2)
            import_changed(ROOT / mutant.path, source)
            os._exit(int(pytest.main([*PYTEST, "-x", *database, *tests])))
        code = _ended(child, 3 * self.seconds + PATIENCE)
        self.fresh_database = code is None  # the rows of a test that was ended halfway are still there
        return {None: "endless", 0: "survived"}.get(code, "killed"), text


def _ended(child: int, limit: float) -> int | None:
    """Exit code of a child; None when it had to be ended."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutation"]
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(configured)}; all when none is named")
    parser.add_argument("--share", type=float, default=1.0, help="part of the mutants that is tried")
    parser.add_argument("--seed", default="1", help="another seed is another sample")
    parser.add_argument("--survivors", action="store_true", help="only those that survived the last time")
    parser.add_argument("--tests", nargs="+", help="these tests in place of the target's own")
    chosen = parser.parse_args()
    unknown = set(chosen.targets) - set(configured)
    if unknown:
        parser.error(f"unknown target: {min(unknown)}")
    names = chosen.targets or list(configured)
    chosen.targets = [
        Target(name, configured[name]["mutate"], chosen.tests or configured[name]["tests"]) for name in names
    ]
    return chosen


def main() -> None:
    """Try the mutants and list the survivors, also in ``.local/mutation/TARGET.json``."""
    os.nice(10)
    os.chdir(ROOT)
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a process with threads must not be forked
    # Settings are read before tests/conftest.py, which sets this, too: pages find their files without collecting them.
    os.environ["PLAIN_STATIC"] = "1"
    chosen = options()
    embedded.prepare_environment("mutation")
    embedded.start()
    for name in FOREIGN:
        importlib.import_module(name)
    for target in chosen.targets:
        report = Path(os.environ["LOCAL_DIR"]) / f"{target.name}.json"
        target.measure(report.with_suffix(".coverage"))
        reference = all_mutants(ROOT, target.mutate)
        if chosen.survivors:
            earlier = json.loads(report.read_text())
            tried = [
                Mutant(**result["mutant"])
                for result in earlier
                if result["verdict"] in {"survived", "not reached"}
            ]
        else:
            tried = sampled(reference, chosen.share, f"{chosen.seed}:{target.name}")
        print(
            f"{target.name}: {len(tried)} of {len(reference)} mutants, unchanged tests {target.seconds:.0f} s",
            flush=True,
        )
        results = []
        for mutant in tried:
            verdict, text = target.verdict(mutant)
            results.append({"mutant": asdict(mutant), "verdict": verdict, "change": text})
            if verdict in {"survived", "not reached"}:
                print(f"{verdict} {mutant.path}:{mutant.line} {mutant.operator}\n{text}", flush=True)
            report.write_text(json.dumps(results, indent=1, ensure_ascii=False))
        print(target.name, dict(Counter(result["verdict"] for result in results)), flush=True)


if __name__ == "__main__":
    main()
