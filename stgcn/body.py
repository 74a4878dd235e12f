"""Where a person is and how tall they appear, whichever part of the body is in view.

Functions on keypoints of one moment (V, D) or of several (n, V, D), confidence last; a joint that is not in view has
confidence 0.
"""

from functools import lru_cache

import numpy as np

from stgcn.graph import COCO17, get_layout

CENTRE_JOINTS = ("left_shoulder", "right_shoulder")  # in view both across a room and at a desk
# Limb lengths as shares of the body's height (standard adult proportions: D. A. Winter, Biomechanics and
# Motor Control of Human Movement, fig. 4.1). In a picture a limb looks at most that long, so the limbs
# that look longest tell how large the person appears.
LIMB_LENGTHS = {
    ("left_shoulder", "right_shoulder"): 0.23,
    ("left_shoulder", "left_elbow"): 0.17,
    ("right_shoulder", "right_elbow"): 0.17,
    ("left_elbow", "left_wrist"): 0.15,
    ("right_elbow", "right_wrist"): 0.15,
    ("left_shoulder", "left_hip"): 0.29,
    ("right_shoulder", "right_hip"): 0.29,
    ("left_hip", "left_knee"): 0.24,
    ("right_hip", "right_knee"): 0.24,
    ("left_knee", "left_ankle"): 0.25,
    ("right_knee", "right_ankle"): 0.25,
}
# An adult. Metres: x to the person's left, y down from the top of the head, z away from the camera.
STANDING = {
    "nose": (0, 0.13, -0.1), "left_eye": (0.03, 0.1, -0.08), "left_ear": (0.08, 0.12, 0),
    "left_shoulder": (0.2, 0.32, 0), "left_elbow": (0.27, 0.6, 0.03), "left_wrist": (0.27, 0.84, -0.06),
    "left_hip": (0.12, 0.85, 0), "left_knee": (0.14, 1.27, -0.02), "left_ankle": (0.15, 1.68, 0.04),
}  # fmt: skip
LIMB_QUANTILE = 0.8  # above it, a limb is more likely a wrong keypoint than one seen at full length


def body_height(keypoints: np.ndarray, layout: str) -> float:
    """The person's height as it appears, above 0, in the unit of the positions.

    Without any limb in view, the person is as tall as the box around the joints; 1 if that is a point, or nobody is.
    """
    keypoints = keypoints.reshape(-1, *keypoints.shape[-2:])  # (n, V, D)
    positions, seen = keypoints[..., :-1], keypoints[..., -1] > 0
    starts, ends, shares = _limbs(layout)
    heights = np.linalg.norm(positions[:, starts] - positions[:, ends], axis=-1) / shares  # (n, limbs)
    heights = heights[seen[:, starts] & seen[:, ends]]
    height = np.quantile(heights, LIMB_QUANTILE) if len(heights) else 0.0
    if height > 0:
        return float(height)
    return float(np.ptp(positions[seen], axis=0).max()) or 1.0 if seen.any() else 1.0  # a face alone, or one joint


def body_centre(keypoints: np.ndarray, layout: str) -> np.ndarray:
    """(D - 1,): median place of the shoulders, or of all joints where no shoulder is in view; zeros if none is."""
    shoulders = keypoints[..., [get_layout(layout).index(name) for name in CENTRE_JOINTS], :]
    for joints in (shoulders, keypoints):
        seen = joints[..., -1] > 0
        if seen.any():
            return np.median(joints[seen][:, :-1], axis=0)
    return np.zeros(keypoints.shape[-1] - 1, np.float32)


def standing() -> np.ndarray:
    """(17, 3): an adult's COCO-17 joints in space, in metres; see STANDING."""
    joints = {right: np.multiply(STANDING[left], (-1, 1, 1)) for left, right in COCO17.pairs} | STANDING
    return np.array([joints[joint] for joint in COCO17.joints])


@lru_cache
def _limbs(layout: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start joints, end joints and share of the body's height of each limb, (limbs,) each."""
    index = get_layout(layout).index
    starts, ends = np.array([[index(a), index(b)] for a, b in LIMB_LENGTHS]).T
    return starts, ends, np.array(list(LIMB_LENGTHS.values()))
