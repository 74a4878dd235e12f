"""Pickles of numpy arrays and plain containers, read without running anything that the file asks for.

A pickle is a program that may call whatever Python can import. Here it may call what arrays are rebuilt with,
and nothing else.
"""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy._core import multiarray, numeric


def _encode(text: str, encoding: str) -> bytes:
    """The bytes of old pickles, which wrote them as text."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding}")
    return text.encode("latin1")


ALLOWED = {("numpy", "ndarray"): np.ndarray, ("numpy", "dtype"): np.dtype, ("_codecs", "encode"): _encode}
for package in ("numpy.core", "numpy._core"):  # as numpy 1 and numpy 2 name it
    ALLOWED[f"{package}.multiarray", "_reconstruct"] = multiarray._reconstruct
    ALLOWED[f"{package}.multiarray", "scalar"] = multiarray.scalar
    ALLOWED[f"{package}.numeric", "_frombuffer"] = numeric._frombuffer


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no data set needs")
        return ALLOWED[module, name]


def load(path: str | Path) -> Any:
    """What the file holds: None, bool, numbers, str, bytes, tuples, lists, sets, dicts, numpy arrays.

    ValueError: there is no such file, it is no pickle, or it asks for anything else.
    """
    try:
        with open(path, "rb") as file:
            return _Unpickler(file).load()
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from error
    except Exception as error:  # a damaged pickle can fail in any way
        raise ValueError(f"{path} is not a pickle that can be read safely: {error}") from error
