"""Data sets in the formats in which they are published, a module each: path in, clips out.

Every `read(path, layout, side, split)` gives the clips of one side ("train" or "test") of one official split
as a `Part`, with the main person of each or, where the layout is of several, so many people. It raises ValueError
with one line where the path does not exist, is empty or of another format, or where a label or a joint makes no
sense.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stgcn.data import Part
from stgcn.readers import jhmdb, kinetics, ntu, nwucla, pyskl, skeletons, webcam
from stgcn.settings import Data
from stgcn.trim import trimmed

SIDES = ("train", "test")
PUBLISHED = {
    "jhmdb": jhmdb.read,
    "kinetics": kinetics.read,
    "ntu": ntu.read,
    "nwucla": nwucla.read,
    "pyskl": pyskl.read,
    "webcam": webcam.read,
}


def read_part(data: Data, source: str | Path | Mapping[str, Any], layout: str, side: str) -> Part:
    """One side of the data set at `source`, in the format and with the class names that `data` or the source gives.

    ValueError: an unknown format, clips in none of which anybody is in view, a class that is none of the network's,
    and see the formats' modules.
    """
    if isinstance(source, Mapping):
        data = replace(data, train=(), test={}, **{key: source[key] for key in source if key != "path"})
        source = source["path"]
    part = _renamed(_read(data, source, layout, side), data.names, data.classes)
    if data.trim:
        part = replace(part, clips=[trimmed(clip, layout) for clip in part.clips])
    if not any(len(clip.times) for clip in part.clips):
        raise ValueError(f"{source}: nobody is in view in any of the {len(part.clips)} clips that {side}")
    return part


def _read(data: Data, path: str | Path, layout: str, side: str) -> Part:
    if side not in SIDES:
        raise ValueError(f"a data set has the sides {' and '.join(SIDES)}, not {side!r}")
    if data.format == "skeletons":
        return skeletons.read(path, layout, side, data.split, data.splits)
    if data.format in PUBLISHED:
        return PUBLISHED[data.format](path, layout, side, data.split)
    known = ", ".join(("skeletons", *PUBLISHED))
    raise ValueError(f"unknown data format {data.format!r}; known: {known}")


def _renamed(part: Part, names: Mapping[str, str], classes: Sequence[str]) -> Part:
    """The same clips under the network's classes. ValueError: one of theirs is none of these."""
    own = [names.get(name, name) for name in part.classes]
    classes = tuple(classes or dict.fromkeys(own))
    used = {own[clip.label] for clip in part.clips}
    if used - set(classes):
        raise ValueError(f"the class {min(used - set(classes))!r} of the data is none of data.classes: "
                         f"{', '.join(classes)}")
    return Part(classes, [replace(clip, label=classes.index(own[clip.label])) for clip in part.clips])
