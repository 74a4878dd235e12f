"""What mmengine's training checkpoints hold besides tensors and plain values: the log of past losses.

`torch.load(weights_only=True)` refuses everything that is not named to it, so that a file can never run code.
"""

import numpy as np
from mmengine.logging import HistoryBuffer

MMENGINE_GLOBALS = [
    HistoryBuffer,
    getattr,  # a history names its own methods this way; what it returns cannot be called while loading
    np.ndarray,
    np.dtype,
    np.dtypes.Float64DType,
    np.dtypes.Int64DType,
    np._core.multiarray._reconstruct,
    np._core.multiarray.scalar,
    # the same two, as numpy 1 named them
    (np._core.multiarray._reconstruct, "numpy.core.multiarray._reconstruct"),
    (np._core.multiarray.scalar, "numpy.core.multiarray.scalar"),
]
