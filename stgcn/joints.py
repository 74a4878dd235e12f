"""The joints of one skeleton from those of another, where a data set's own joints were not recorded."""

import numpy as np

from stgcn.graph import get_layout

# The joints of JHMDB15 that COCO17 lacks, each a sum of the middles of shoulders, hips and face (all five joints of
# it). Least squares on 131 clips of J-HMDB that have both; what is left is two hundredths of a puppet's size.
MIDDLES = {
    "shoulders": ("left_shoulder", "right_shoulder"),
    "hips": ("left_hip", "right_hip"),
    "face": ("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
}
JHMDB15_SHARES = {"neck": (0.75, 0.0, 0.25), "belly": (0.25, 0.75, 0.0), "face": (0.55, -0.15, 0.6)}


def jhmdb15_from_coco17(keypoints: np.ndarray) -> np.ndarray:
    """(n, 17, 3) -> (n, 15, 3): x, y as they are, and confidence 1.

    J-HMDB's annotators placed every joint, also those behind others or outside the picture; so each counts as
    seen here, at the place that the pose estimator thought most likely.
    """
    source, target = get_layout("coco17"), get_layout("jhmdb15")
    middles = {name: keypoints[:, [source.index(joint) for joint in joints]].mean(axis=1)
               for name, joints in MIDDLES.items()}  # {name: (n, 3)}  # fmt: skip
    converted = np.ones((len(keypoints), len(target.joints), 3), np.float32)
    for index, joint in enumerate(target.joints):
        if joint in JHMDB15_SHARES:
            place = sum(share * middle for share, middle in zip(JHMDB15_SHARES[joint], middles.values()))
        else:
            place = keypoints[:, source.index(joint)]
        converted[:, index, :2] = place[:, :2]
    return converted
