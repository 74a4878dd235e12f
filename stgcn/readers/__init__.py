"""Data sets in the formats in which they are published, a module each: path in, clips out.

Every `read(path, layout, side, split)` gives the clips of one side ("train" or "test") of one official split
as a `Part`, with the main person of each, and raises ValueError with one line where the path does not exist,
is empty or of another format, or where a label or a joint makes no sense.
"""

from pathlib import Path

from stgcn.data import Part
from stgcn.readers import jhmdb, kinetics, ntu, nwucla, pyskl, skeletons
from stgcn.settings import Data

SIDES = ("train", "test")
PUBLISHED = {
    "jhmdb": jhmdb.read,
    "kinetics": kinetics.read,
    "ntu": ntu.read,
    "nwucla": nwucla.read,
    "pyskl": pyskl.read,
}


def read_part(data: Data, path: str | Path, layout: str, side: str) -> Part:
    """One side of the data set at `path`, which is in the format that `data` names.

    ValueError: an unknown format, clips in none of which anybody is in view, and see the formats' modules.
    """
    if side not in SIDES:
        raise ValueError(f"a data set has the sides {' and '.join(SIDES)}, not {side!r}")
    if data.format == "skeletons":
        part = skeletons.read(path, layout, side, data.split, data.splits)
    elif data.format in PUBLISHED:
        part = PUBLISHED[data.format](path, layout, side, data.split)
    else:
        known = ", ".join(("skeletons", *PUBLISHED))
        raise ValueError(f"unknown data format {data.format!r}; known: {known}")
    if not any(len(clip.times) for clip in part.clips):
        raise ValueError(f"{path}: nobody is in view in any of the {len(part.clips)} clips that {side}")
    return part
