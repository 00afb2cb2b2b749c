"""Requests out of the OpenAPI document: ``uv run python -m tests.fuzz.api --requests 100000 --seed 1``.

Prints requests, successes, refusals and broken promises by operation and by role; ``--report FILE`` also writes them by
role of each operation. Exit code 1 for a broken promise, and for an operation that succeeded with nothing it was offered.
"""

import sys

from tests.fuzz.command import main

if __name__ == "__main__":
    sys.exit(main(["test_api_conformance.py"], str(__doc__)))
