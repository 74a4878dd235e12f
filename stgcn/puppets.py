"""Made-up people: a body of straight bones, posed by where each bone points, and seen by a camera from any side.

Recordings show few people, from few sides. What a squat or a kick is can be told in a handful of key poses
(`stgcn.choreography`); here they become the keypoints that a pose estimator would find. Coordinates are those of
`stgcn.body.STANDING`, but in body heights: x to the person's left, y down, z backwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.random import Generator
from scipy.interpolate import PchipInterpolator
from scipy.spatial.transform import Rotation

from stgcn.body import LIMB_LENGTHS
from stgcn.graph import COCO17
from stgcn.noise import tremble
from stgcn.scenes import FPS

LAYOUT = COCO17.name
# Bones whose direction a pose names; an arm and a leg have two each. Angles in degrees.
LIMBS = ("left_arm", "right_arm", "left_leg", "right_leg")
LIMB_JOINTS = {"arm": ("shoulder", "elbow", "wrist"), "leg": ("hip", "knee", "ankle")}
HIPS_WIDTH, HEAD = 0.13, 0.12  # body heights; from the shoulders' middle to between the ears
FACE = {"nose": (0, 0.01, -0.055), "left_eye": (0.018, -0.01, -0.045), "left_ear": (0.045, 0, 0)}  # from there
FACE |= {right: np.multiply(FACE[left], (-1, 1, 1)) for left, right in COCO17.pairs if left in FACE}
FACE_JOINTS = [COCO17.index(joint) for joint in FACE]
HEEL_UP, IN_THE_AIR = 0.07, 0.005  # body heights: of an ankle above toes on the ground; of feet that have left it
TRUNK = 0.08  # half its width: what is behind it is hidden
FACE_AWAY = 0.02  # a part of the face that is farther away than the ears by more is hidden

BUILD = (0.9, 1.1)  # times the usual length of a bone: of the shortest and the longest
STYLE, UNSTEADY = 0.08, 0.05  # standard deviations in radians: of a bone's direction by person, and by key pose
SURE, HIDDEN = (0.55, 0.95), (0.1, 0.6)  # a detector's confidence of what it sees, and of what it has to guess
FRONTAL, FRONTAL_DEG = 0.6, 50  # share of cameras that people face, more or less; the others stand anywhere
PITCH_DEG, ROLL_DEG, NEAREST = (-8, 25), 4, (1.2, 5.0)  # of the camera; body heights between it and what is nearest


@dataclass(frozen=True)
class KeyPose:
    """One moment of a movement.

    limbs: by a name in LIMBS, where its two bones point: (lift, ahead) each. lift: from straight down, 180 is straight
        up; ahead: in which direction it is lifted, 0 outwards, 90 forwards, 180 inwards, -90 backwards.
    lean, aside: of the trunk, forwards and to the left.
    turn: of the whole body, to the left. air: body heights between the lower foot and the ground.
    """

    limbs: dict[str, tuple[tuple[float, float], tuple[float, float]]] = field(default_factory=dict)
    lean: float = 0.0
    aside: float = 0.0
    turn: float = 0.0
    air: float = 0.0

    def but(self, air: float = 0.0, **changed) -> "KeyPose":
        """The same with some limbs or angles changed, by name; "arms" and "legs" are those of both sides.

        On the ground, unless `air` says else.
        """
        for kind in LIMB_JOINTS:
            if bones := changed.pop(f"{kind}s", None):
                changed |= {f"left_{kind}": bones, f"right_{kind}": bones}
        limbs = {limb: changed.pop(limb) for limb in LIMBS if limb in changed}
        return replace(self, limbs=self.limbs | limbs, air=air, **changed)

    def vector(self) -> np.ndarray:
        """(2 * len(LIMBS) * 3 + 5,): directions of the bones as unit vectors, of the trunk, then turn and air."""
        bones = [direction(*bone, side=1 if limb.startswith("left") else -1) for limb in LIMBS
                 for bone in self.limbs[limb]]  # fmt: skip
        lean, aside = np.deg2rad([self.lean, self.aside])
        trunk = np.sin(aside), -np.cos(aside) * np.cos(lean), -np.cos(aside) * np.sin(lean)
        return np.array([*np.ravel(bones), *trunk, np.deg2rad(self.turn), self.air])


Keys = Sequence[tuple[float, KeyPose]]  # seconds since the one before, and the pose


def perform(rng: Generator, keys: Keys, fps: float = FPS) -> tuple[np.ndarray, np.ndarray]:
    """A made-up person goes through key poses, seen by a made-up camera: see `move`, then `film`.

    Returns times from 0, and keypoints (n, 17, 3) of COCO-17.
    """
    times, joints = move(rng, keys, fps)
    return times, film(rng, joints, fps)


def move(rng: Generator, keys: Keys, fps: float = FPS) -> tuple[np.ndarray, np.ndarray]:
    """A made-up person goes through key poses, each a little different than told: times from 0, and joints in space
    (n, 17, 3), the ground at y = 0.

    ValueError: fewer than two poses, or one that does not follow the one before in time.
    """
    if len(keys) < 2 or min(seconds for seconds, _ in keys[1:]) <= 0:
        raise ValueError("a movement needs two key poses or more, one after another")
    moments = np.cumsum([0, *(seconds for seconds, _ in keys[1:])])
    vectors = np.array([pose.vector() for _, pose in keys])  # (keys, B * 3 + 2)
    vectors[:, :-2] += rng.normal(0, STYLE, vectors[0, :-2].shape) + rng.normal(0, UNSTEADY, vectors[:, :-2].shape)
    n = max(int(moments[-1] * fps), 1) + 1
    times = np.arange(n) / fps
    between = PchipInterpolator(moments, vectors)(np.minimum(times, moments[-1]))
    bones, turn, air = between[:, :-2].reshape(n, -1, 3), between[:, -2], between[:, -1].clip(0)
    bones /= np.linalg.norm(bones, axis=-1, keepdims=True)
    return times, _walk(_joints(rng, bones), turn, air)


def film(rng: Generator, joints: np.ndarray, fps: float = FPS) -> np.ndarray:
    """Joints in space (n, 17, 3) as an estimator finds them in the pictures of a camera: keypoints (n, 17, 3).

    About as large as in space, of no particular origin.
    """
    yaw = rng.uniform(-FRONTAL_DEG, FRONTAL_DEG) if rng.random() < FRONTAL else rng.uniform(-180, 180)
    roll, pitch = rng.uniform(-ROLL_DEG, ROLL_DEG), rng.uniform(*PITCH_DEG)
    camera = Rotation.from_euler("ZXY", (roll, pitch, yaw), degrees=True).as_matrix()
    seen = (joints - joints[:1].mean(axis=1, keepdims=True)) @ camera.T
    depth = seen[..., 2] - seen[..., 2].min() + rng.uniform(*NEAREST)  # (n, V)
    keypoints = np.empty_like(joints)
    keypoints[..., :2] = seen[..., :2] / depth[..., None] * depth[0].mean()
    confidence = np.broadcast_to(rng.uniform(*SURE, joints.shape[1]), depth.shape)
    keypoints[..., 2] = np.where(_hidden(keypoints, depth), rng.uniform(*HIDDEN) * confidence, confidence)
    return tremble(rng, keypoints.astype(np.float32), fps)


def _joints(rng: Generator, bones: np.ndarray) -> np.ndarray:
    """Bones' directions (n, B, 3), in the order of `KeyPose.vector`, -> joints (n, 17, 3); the hips' middle at 0."""
    joints = np.zeros((len(bones), len(COCO17.joints), 3))
    trunk = bones[:, -1]
    leftwards = np.array([1.0, 0, 0]) - trunk[:, :1] * trunk  # (n, 3): at right angles to the trunk
    leftwards /= np.linalg.norm(leftwards, axis=-1, keepdims=True)
    shoulders = trunk * _length(rng, "left_shoulder", "left_hip")
    widths = {"shoulder": _length(rng, "left_shoulder", "right_shoulder"), "hip": HIPS_WIDTH * rng.uniform(*BUILD)}
    lengths = {}  # of the same bone on both sides the same
    for i, limb in enumerate(LIMBS):
        side, kind = limb.split("_")
        first, *rest = LIMB_JOINTS[kind]
        place = (shoulders if kind == "arm" else 0) + leftwards * widths[first] / 2 * (1 if side == "left" else -1)
        joints[:, COCO17.index(f"{side}_{first}")] = place
        for j, joint in enumerate(rest):
            bone = LIMB_JOINTS[kind][j : j + 2]
            lengths.setdefault(bone, _length(rng, *(f"left_{end}" for end in bone)))
            place = place + bones[:, 2 * i + j] * lengths[bone]
            joints[:, COCO17.index(f"{side}_{joint}")] = place
    nod = rng.normal(0, 0.15)  # radians
    up = (trunk + np.array([0, -1.0, 0])) / 2  # heads stay more upright than trunks
    up /= np.linalg.norm(up, axis=-1, keepdims=True)
    ahead = np.cross(leftwards, up) * np.cos(nod) - up * np.sin(nod)
    between_ears = shoulders + up * HEAD
    for joint, (left, down, back) in zip(FACE_JOINTS, FACE.values()):
        joints[:, joint] = between_ears + leftwards * left - up * down - ahead * back
    return joints


def _walk(joints: np.ndarray, turn: np.ndarray, air: np.ndarray) -> np.ndarray:
    """Turned by `turn` (n,) radians and put on the ground, `air` (n,) above it.

    Of the feet that are on the ground, the one that goes back stays where it is, so that steps lead ahead.
    """
    rotation = Rotation.from_euler("Y", turn[:, None]).as_matrix()  # (n, 3, 3)
    joints = joints @ rotation.transpose(0, 2, 1)  # (n, V, 3)
    feet = joints[:, [COCO17.index("left_ankle"), COCO17.index("right_ankle")]]  # (n, 2, 3)
    raised = feet[..., 1].max(axis=1, keepdims=True) - feet[..., 1]  # (n, 2)
    steps = feet[:-1] - feet[1:]  # (n - 1, 2, 3): by which the hips move if that foot stays
    ahead = -(steps @ rotation[1:, :, 2:])[..., 0]  # (n - 1, 2)
    stays = np.where(raised[1:] < HEEL_UP, ahead, -np.inf).argmax(axis=1)
    step = steps[np.arange(len(steps)), stays]
    grounded = np.where(air[1:] < IN_THE_AIR, np.arange(len(step)), 0)
    step = step[np.maximum.accumulate(grounded)]  # in the air, on as before
    hips = np.concatenate([np.zeros((1, 3)), np.cumsum(step, axis=0)])
    hips[:, 1] = -feet[..., 1].max(axis=1) - air
    return joints + hips[:, None]


def _hidden(keypoints: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """(n, V): the joint is behind the trunk or the head, as far as a picture (n, V, 3) and depth (n, V) tell."""
    def both(name: str) -> list[int]:
        return [COCO17.index(f"{side}_{name}") for side in ("left", "right")]

    top, bottom = keypoints[:, both("shoulder"), :2].mean(axis=1), keypoints[:, both("hip"), :2].mean(axis=1)
    along = bottom - top
    share = ((keypoints[..., :2] - top[:, None]) @ along[..., None])[..., 0] / (along**2).sum(axis=1)[:, None]
    nearest = top[:, None] + share.clip(0, 1)[..., None] * along[:, None]
    across = np.linalg.norm(keypoints[..., :2] - nearest, axis=-1)
    trunk = depth[:, both("shoulder") + both("hip")].mean(axis=1)[:, None]
    hidden = (across < TRUNK) & (depth > trunk + TRUNK / 2)
    between_ears = depth[:, both("ear")].mean(axis=1)[:, None]
    hidden[:, FACE_JOINTS] = depth[:, FACE_JOINTS] > between_ears + FACE_AWAY
    return hidden


def direction(lift: float, ahead: float, side: int) -> tuple[float, float, float]:
    """(x, y, z) of a bone as a unit vector. side: 1 on the left, -1 on the right. Degrees, see `KeyPose`."""
    lift, ahead = np.deg2rad([lift, ahead])
    return side * np.sin(lift) * np.cos(ahead), np.cos(lift), -np.sin(lift) * np.sin(ahead)


def _length(rng: Generator, start: str, end: str) -> float:
    return LIMB_LENGTHS[start, end] * rng.uniform(*BUILD)
