"""The external series that a release can use, as data: code, names, unit, bounds. Pure."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

_FILE = Path(__file__).with_name("series.yaml")


@lru_cache(maxsize=1)
def all_series() -> tuple[dict[str, Any], ...]:
    """Every series, in the order in which forms list them."""
    return tuple(yaml.safe_load(_FILE.read_text(encoding="utf-8"))["series"])
