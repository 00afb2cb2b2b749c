"""Mutated requests to every URL by every role: ``uv run python -m tests.fuzz --requests 100000 --seed 1``."""

import sys

from tests.fuzz.command import main

if __name__ == "__main__":
    sys.exit(main("test_server_errors.py", str(__doc__)))
