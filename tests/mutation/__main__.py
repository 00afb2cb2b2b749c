"""Command of the mutation tests. Targets and their tests stand in pyproject.toml, ``tool.mutation``."""

import argparse
import importlib
import json
import os
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from config.local import embedded
from tests.mutation.mutants import Mutant, all_mutants, changed, import_changed, sampled
from tests.mutation.session import (
    AGAIN,
    ROOT,
    FixedExamples,
    MutationSession,
    fastest_first,
    in_fork,
    tests_of,
)

PYTEST = (
    *("-n", "0", "-q", "-s", "-p", "no:cacheprovider", "-o", "tmp_path_retention_policy=none"),
    *(
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
    ),  # plugins of pytest that FOREIGN has imported already
)
# Processes of a target import the program anew; what is not the program is imported once, before.
FOREIGN = (
    "numpy",
    "scipy.optimize",
    "scipy.sparse",
    "scipy.stats",
    "hypothesis",
    "celery",
    "jsonschema",
)
OPEN = {"survived", "not reached"}


class Target:
    """One entry of the configuration: the folders that are changed, and the tests that must notice."""

    def __init__(self, name: str, mutate: list[str], tests: list[str]) -> None:
        self.name, self.mutate, self.tests = name, mutate, tests
        self.seconds: dict[str, float] = {}
        self.reached: dict[str, dict[int, list[str]]] = {}
        self.log = Path(os.environ["LOCAL_DIR"]) / f"{name}.log"

    def verdicts(self, mutants: list[Mutant], minutes: float) -> Iterator[tuple[Mutant, str]]:
        """A verdict for each mutant: first those that change loaded functions, then those that need an import."""
        again = []
        for mutant, verdict in self._in_shared_session(mutants, minutes):
            if verdict == AGAIN:
                again.append(mutant)
            else:
                yield mutant, verdict
        if again and (verdict := self._imported_anew(None)) != "survived":
            sys.exit(f"{self.name}: without any change a process that imports the program is {verdict}")
        for mutant in again:
            yield mutant, self._imported_anew(mutant)

    def _in_shared_session(self, mutants: list[Mutant], minutes: float) -> Iterator[tuple[Mutant, str]]:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            os.dup2(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
            os.dup2(1, 2)
            with os.fdopen(writing, "w") as output:
                plugin = MutationSession(self.mutate, mutants, minutes, output)
                code = int(pytest.main([*PYTEST, "-x", *self.tests], plugins=[plugin]))
            os._exit(code)
        os.close(writing)
        with os.fdopen(reading) as lines:
            for line in lines:
                values = json.loads(line)
                if "mutant" in values:
                    yield Mutant(**values["mutant"]), values["verdict"]
                else:
                    self.seconds = values["seconds"]
                    self.reached = {
                        path: {int(number): names for number, names in reached.items()}
                        for path, reached in values["reached"].items()
                    }
        _pid, status = os.waitpid(child, 0)
        if code := os.waitstatus_to_exitcode(status):
            sys.exit(
                f"{self.name}: the session of the tests ended with {code}\n{self.log.read_text()[-4000:]}"
            )

    def _imported_anew(self, mutant: Mutant | None) -> str:
        """The same verdicts by a process that imports the program with the changed file; None is no change."""
        tests = [min(self.seconds, key=self.seconds.__getitem__)]
        if mutant is not None:
            reaching = tests_of(mutant, self.reached, self.seconds)
            lines = self.reached[mutant.path].values()
            names = {name for line in lines for name in line if name}
            tests = fastest_first(names or set(self.seconds), self.seconds) if reaching is None else reaching

        def run() -> int:
            if mutant is not None:
                import_changed(ROOT / mutant.path, changed(ROOT, mutant)[0])
            return int(pytest.main([*PYTEST, "-x", *tests], plugins=[FixedExamples()]))

        code = in_fork(run, 10 + sum(self.seconds[test] for test in tests))
        return {None: "endless", 0: "survived"}.get(code, "killed")


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutation"]
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(configured)}; all when none is named")
    parser.add_argument("--share", type=float, default=1.0, help="part of the mutants that is tried")
    parser.add_argument("--minutes", type=float, default=1e6, help="begin no mutant of a target after these")
    parser.add_argument("--seed", default="1", help="another seed is another sample")
    parser.add_argument("--survivors", action="store_true", help="only those that survived the last time")
    parser.add_argument("--tests", nargs="+", help="these tests in place of the target's own")
    parser.add_argument("--files", nargs="+", help="only changes of these files")
    chosen = parser.parse_args()
    unknown = set(chosen.targets) - set(configured)
    if unknown:
        parser.error(f"unknown target: {min(unknown)}")
    chosen.configured = {name: configured[name] for name in chosen.targets or configured}
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
    embedded.start(durable=False)
    for name in FOREIGN:
        importlib.import_module(name)
    for name, configured in chosen.configured.items():
        _try(Target(name, configured["mutate"], chosen.tests or configured["tests"]), chosen)


def _try(target: Target, chosen: argparse.Namespace) -> None:
    report = Path(os.environ["LOCAL_DIR"]) / f"{target.name}.json"
    mutants = all_mutants(ROOT, target.mutate)
    if chosen.files:
        mutants = [mutant for mutant in mutants if mutant.path in chosen.files]
    tried = sampled(mutants, chosen.share, f"{chosen.seed}:{target.name}")
    if chosen.survivors:
        earlier = [
            (Mutant(**result["mutant"]), result["verdict"]) for result in json.loads(report.read_text())
        ]
        tried = [mutant for mutant, verdict in earlier if verdict in OPEN]
    print(f"{target.name}: {len(mutants)} mutants, at most {len(tried)} are tried", flush=True)
    begun = time.monotonic()
    results = []
    for mutant, verdict in target.verdicts(tried, chosen.minutes):
        _source, change = changed(ROOT, mutant)
        results.append({"mutant": asdict(mutant), "verdict": verdict, "change": change})
        if verdict in OPEN:
            print(f"{verdict} {mutant.path}:{mutant.line} {mutant.operator}\n{change}", flush=True)
        report.write_text(json.dumps(results, indent=1, ensure_ascii=False))
    counts = dict(Counter(result["verdict"] for result in results))
    print(f"{target.name}: {len(results)} tried in {time.monotonic() - begun:.0f} s, {counts}", flush=True)


if __name__ == "__main__":
    main()
