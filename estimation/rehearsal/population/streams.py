"""Named random streams: one seed, one independent generator per name, whatever the order of use."""

from dataclasses import dataclass
from zlib import crc32

import numpy as np


@dataclass(frozen=True, slots=True)
class Streams:
    """`streams("name")` is a fresh generator that depends on the seed and the name alone."""

    seed: int

    def __call__(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, crc32(name.encode())])
