"""NTU RGB+D: folders of `.skeleton` text files, 25 joints in space by the second Kinect (x, y up, z; metres).

A file is numbers with white space between: the number of frames; for each frame the number of bodies; for
each body its id, six integers (clipped edges, confidence and state of the left and of the right hand, is
restricted), lean x and y, tracking state; the number of joints; for each joint x, y, z, depth x and y,
colour x and y, orientation w, x, y, z, and its tracking state. The name SsssCcccPpppRrrrAaaa says setup,
camera, performer, repetition and action.
Source: Matlab/read_skeleton_file.m and README.md of github.com/shahroudy/NTURGB-D; the splits are those of
Shahroudy et al., "NTU RGB+D: A Large Scale Dataset for 3D Human Activity Analysis" (arXiv 1604.02808).
"""

import re
from collections import defaultdict
from pathlib import Path

import numpy as np

from stgcn.data import Clip, Part
from stgcn.readers.common import check_layout, files_in, side_by_side

FPS = 30.0
SUFFIX = ".skeleton"
NAME = re.compile(r"S\d{3}C(?P<camera>\d{3})P(?P<performer>\d{3})R\d{3}A(?P<action>\d{3})")
JOINTS = 25
BODY_VALUES = 10  # of a body, before the number of its joints
JOINT_VALUES = 12
FULLY_TRACKED = 2  # the joint's last value; 1 is inferred, 0 not tracked
ACTIONS, PERFORMERS, CAMERAS = 60, 40, 3  # of the set to which the splits belong
TRAINING = {
    "xsub": ("performer", {1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38}),
    "xview": ("camera", {2, 3}),
}


def read(path: str | Path, layout: str, side: str, split: str) -> Part:
    """One side of the cross-subject ("xsub") or cross-view ("xview") split. Classes are A001 to A060.

    A recording without bodies (the set has some) is a clip in which nobody is in view.
    ValueError: another split; there is no folder or no file; a name or a content of another form; a number
    in the name beyond the set's 60 actions, 40 performers and 3 cameras; or nothing on this side.
    """
    if split not in TRAINING:
        raise ValueError(f"NTU RGB+D has the splits {' and '.join(TRAINING)}, not {split!r}")
    check_layout("an NTU RGB+D file", (JOINTS, 4), layout)
    wanted = [file for file in files_in(path, SUFFIX) if _side(_numbers(file), split) == side]
    if not wanted:
        raise ValueError(f"folder {path} has no recordings that {side} in the split {split}")
    classes = tuple(f"A{action:03}" for action in range(1, ACTIONS + 1))
    return Part(classes, [read_clip(file, layout) for file in wanted])


def read_clip(path: str | Path, layout: str = "ntu25") -> Clip:
    """One recording. ValueError that names the file: it is of another form."""
    path = Path(path)
    try:
        frames, bodies = _bodies(path.read_text(encoding="ascii").split())
    except (OSError, ValueError, IndexError) as error:
        problem = "it ends too early" if isinstance(error, IndexError) else error
        raise ValueError(f"{path} is not an NTU RGB+D skeleton file: {problem}") from error
    keypoints = side_by_side(bodies or [np.zeros((frames, JOINTS, 4), np.float32)], layout)  # (T, M * V, 4)
    seen = (keypoints[..., -1] != 0).any(axis=1)  # (T,)
    times = np.arange(frames) / FPS
    return Clip(path.stem, _numbers(path)["action"] - 1, times[seen], keypoints[seen], end_s=times[-1])


def _numbers(path: Path) -> dict[str, int]:
    match = NAME.fullmatch(path.stem)
    if not match:
        raise ValueError(f"{path} is not named as in NTU RGB+D, like S001C001P001R001A001{SUFFIX}")
    numbers = {name: int(digits) for name, digits in match.groupdict().items()}
    for name, largest in (("action", ACTIONS), ("performer", PERFORMERS), ("camera", CAMERAS)):
        if not 1 <= numbers[name] <= largest:
            raise ValueError(f"{path}: {name} {numbers[name]} is outside 1..{largest}")
    return numbers


def _side(numbers: dict[str, int], split: str) -> str:
    key, training = TRAINING[split]
    return "train" if numbers[key] in training else "test"


def _bodies(values: list[str]) -> tuple[int, list[np.ndarray]]:
    """Number T of frames; and the joints of each body (T, V, 4), zeros where it is not in view."""
    at = 1
    frames = int(values[0])
    if frames < 1:
        raise ValueError("it has no frames")
    bodies = defaultdict(lambda: np.zeros((frames, JOINTS, 4), np.float32))
    for frame in range(frames):
        count, at = int(values[at]), at + 1
        for _ in range(count):
            body, joints = values[at], int(values[at + BODY_VALUES])
            if joints != JOINTS:
                raise ValueError(f"a body has {joints} joints instead of {JOINTS}")
            start = at + BODY_VALUES + 1
            at = start + JOINTS * JOINT_VALUES
            bodies[body][frame] = _keypoints(values[start:at])
    if at != len(values):
        raise ValueError("it goes on after its last frame, or ends too early")
    return frames, list(bodies.values())


def _keypoints(values: list[str]) -> np.ndarray:
    joints = np.array(values, np.float32).reshape(JOINTS, JOINT_VALUES)
    return np.column_stack([joints[:, :3], joints[:, -1] / FULLY_TRACKED])
