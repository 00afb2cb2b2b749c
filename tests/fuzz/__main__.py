"""Mutated requests to every URL by every role, then every URL in every state of what it is about.

``uv run python -m tests.fuzz --requests 100000 --seed 1``
"""

import sys

from tests.fuzz.command import main

if __name__ == "__main__":
    sys.exit(main(["test_server_errors.py", "test_states.py"], str(__doc__)))
