"""What both commands of the fuzz tests do: run files of the folder with more requests than the suite."""

import argparse
import os
from pathlib import Path

import pytest


def main(files: list[str], description: str) -> int:
    """Read the arguments and run the files. The exit code is that of pytest."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, help="a file for the figures")
    arguments = parser.parse_args()
    os.environ["FUZZ_REQUESTS"], os.environ["FUZZ_SEED"] = str(arguments.requests), str(arguments.seed)
    os.environ["FUZZ_EVERY"] = "1"
    if arguments.report:
        os.environ["FUZZ_REPORT"] = str(arguments.report.absolute())
    paths = [str(Path(__file__).with_name(file)) for file in files]
    return int(pytest.main([*paths, "-n", "0", "-q", "-s", "--tb=short"]))
