"""What both commands of the fuzz tests do: run one of its files with more requests than the suite."""

import argparse
import os
from pathlib import Path

import pytest


def main(file: str, description: str) -> int:
    """Read the arguments and run the file. The exit code is that of pytest."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    os.environ["FUZZ_REQUESTS"], os.environ["FUZZ_SEED"] = str(arguments.requests), str(arguments.seed)
    return int(pytest.main([str(Path(__file__).with_name(file)), "-n", "0", "-q", "-s"]))
