"""Same inputs, same bytes: in this process, in another one, and whatever seed its hashes have."""

import os
import subprocess
import sys

import pytest

from estimation.runs.compute.pipeline import compute
from estimation.runs.compute.replicates import build_frame
from estimation.runs.compute.spec import RunSpec, Winsorization
from tests.architecture.test_layout import ROOT
from tests.estimation.runs.random_years import random_years

PROBE = """
import hashlib
from estimation.runs.compute.pipeline import compute
from estimation.runs.compute.replicates import build_frame
from tests.estimation.runs.random_years import random_years
from tests.estimation.runs.test_same_bytes import SPECS
years = random_years(31, size=10, lonely=True)
for spec in SPECS:
    print(compute(*years, spec).content_hash)
rows = build_frame(years[0], SPECS[0]).rows(seed=7, first=3, count=2)
print(hashlib.sha256(rows.tobytes()).hexdigest())
"""
SPECS = (
    RunSpec(winsorization=Winsorization("winsorize", 0.05, 0.95, minimum=10)),
    RunSpec(
        winsorization=Winsorization("trim", 0.05, 0.95, weighted=True),
        lonely="average",
        growth_form="combined",
    ),
    RunSpec(winsorization=Winsorization("optimal")),
)


@pytest.mark.parametrize(("hash_seed", "threads"), [("0", "1"), ("4711", "2")])
def test_another_process_gives_the_same_bytes(hash_seed: str, threads: str) -> None:
    import hashlib

    years = random_years(31, size=10, lonely=True)
    selected = [compute(*years, spec).content_hash for spec in SPECS]
    assert [compute(*years, spec).content_hash for spec in SPECS] == selected and len(set(selected)) == 3
    rows = build_frame(years[0], SPECS[0]).rows(seed=7, first=3, count=2)
    selected.append(hashlib.sha256(rows.tobytes()).hexdigest())
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "PYTHONHASHSEED": hash_seed,
            "OPENBLAS_NUM_THREADS": threads,
            "PYTHONPATH": str(ROOT),
        },
    )
    assert done.stdout.split() == selected
