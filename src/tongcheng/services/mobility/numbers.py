"""The arrays that mobility computes with, and the times that stand for none."""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Bool: TypeAlias = "NDArray[np.bool_]"
Int8: TypeAlias = "NDArray[np.int8]"
Int16: TypeAlias = "NDArray[np.int16]"
Int32: TypeAlias = "NDArray[np.int32]"
Int64: TypeAlias = "NDArray[np.int64]"
UInt16: TypeAlias = "NDArray[np.uint16]"
Float64: TypeAlias = "NDArray[np.float64]"

DAY_S: Final = 86_400

NEVER: Final = 1 << 29
"""Later than every time of a timetable, with room to add a journey's length to it in 32 bits."""

UNREACHED: Final = 65_535
"""In a table of travel times: not within the longest journey. Times are whole seconds below it."""
