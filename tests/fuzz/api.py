"""Requests out of the OpenAPI document: ``uv run python -m tests.fuzz.api --requests 100000 --seed 1``."""

import sys

from tests.fuzz.command import main

if __name__ == "__main__":
    sys.exit(main("test_api_conformance.py", str(__doc__)))
