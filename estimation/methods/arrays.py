"""The types of arrays: every signature of the estimation uses these."""

import numpy as np
import numpy.typing as npt

type Floats = npt.NDArray[np.float64]
type Ints = npt.NDArray[np.int64]  # codes, counts and keys as they are stored
type Indices = npt.NDArray[np.intp]  # places in another array, as NumPy gives and takes them
type Bools = npt.NDArray[np.bool_]
type Complexes = npt.NDArray[np.complex128]
