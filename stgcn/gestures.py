"""Arms that wave, clap, or do what has no name, on the bodies of recorded people.

Recordings of waving and clapping are few, and each shows one person's way to do it. But what both are is simple enough
to be made up: arms of two bones, moved as people move them, and seen from the front. Pure functions on keypoints
(n, V, 3), as in `stgcn.scenes`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.random import Generator

from stgcn.body import LIMB_LENGTHS, body_height
from stgcn.graph import get_layout
from stgcn.noise import frame_rate, tremble, wander
from stgcn.scenes import FPS, hold, move

ARM, SIDES = ("shoulder", "elbow", "wrist"), ("left", "right")
UPPER_ARM, FOREARM = LIMB_LENGTHS["left_shoulder", "left_elbow"], LIMB_LENGTHS["left_elbow", "left_wrist"]
BUILD = (0.85, 1.1)  # times these lengths: shortest and longest arms
SURE = (0.45, 0.95)  # a detector's confidence of an elbow or a wrist that moves
UNSTEADY_HZ, UNSTEADY = 0.15, 0.2  # standard deviations of a rhythm's frequency and width, as shares
UNSTEADY_MEMORY_S = 1.0

GESTURE_S, PAUSE_S = (0.2, 0.8), 0.4  # shortest and longest time of an arm's way; longest that it stays

# Ways to wave: the forearm swings from side to side, or nods towards the camera, or the whole arm swings overhead.
# Ranges of frequency in Hz, and in degrees: how far the upper arm is lifted from hanging down, and how far ahead it
# points from sideways; how far the forearm leans outwards from upright (where the whole arm swings: from straight on),
# and nods; and half a swing.
WAVES = {
    "lean": dict(hz=(0.8, 3.2), lift=(0, 120), ahead=(0, 90), lean=(-25, 35), nod=(0, 50), swing=(8, 45)),
    "nod": dict(hz=(1.2, 3.5), lift=(0, 100), ahead=(0, 90), lean=(-20, 30), nod=(10, 50), swing=(15, 45)),
    "lift": dict(hz=(0.6, 2.0), lift=(110, 165), ahead=(0, 40), lean=(-20, 20), nod=(0, 20), swing=(8, 30)),
}
BOTH_ARMS = 0.15  # probability of waving with both
FOLLOW = 0.3  # of the forearm's swing, the most in which the upper arm joins

# Ways to clap, in body heights: how far below the shoulders' middle hands meet, or, seldom, above it; how near to each
# other they come, and how far apart they go.
CLAP_BELOW, CLAP_ABOVE, CLAP_OVERHEAD = (0.03, 0.3), (-0.35, -0.2), 0.1  # the last a probability
CLAP_ASIDE, CLAP_TILT_DEG = 0.06, 35
CLAP_NEAR, CLAP_FAR, CLAP_HZ = (0.0, 0.03), (0.04, 0.22), (1.5, 4.5)
CLAP_SPEED = 0.5  # body heights times Hz: whoever claps widely claps slowly
ELBOW_OUT = (0.2, 1.0)  # share of an elbow's bend that is seen from the front


def can_gesture(pose: np.ndarray, layout: str = "coco17") -> bool:
    """Whether both shoulders of `pose` (V, 3) are in view, where the arms of `wave` and `clap` begin."""
    joints = get_layout(layout)
    return bool((pose[[joints.index(f"{side}_shoulder") for side in SIDES], 2] > 0).all())


def wave(rng: Generator, times: np.ndarray, body: np.ndarray, layout: str = "coco17") -> np.ndarray:
    """What somebody does at `times` (n,), who also waves with one hand or both meanwhile.

    body: (n, V, 3), both shoulders in view at first. Returns (n, V, 3); an arm is in view while its shoulder is.
    """
    sides = SIDES if rng.random() < BOTH_ARMS else [rng.choice(SIDES)]
    swings = str(rng.choice(list(WAVES)))
    way = WAVES[swings]
    rhythm = _rhythm(rng, times, rng.uniform(*way["hz"]))
    arms = {}
    for side in sides:
        angles = {name: np.deg2rad(rng.uniform(*way[name])) for name in ("lift", "ahead", "lean", "nod", "swing")}
        swing = angles.pop("swing") * rhythm * rng.choice((-1, 1))
        if swings == "lift":
            angles["lean"] = np.pi - angles["lift"] - swing + angles["lean"]
        else:
            angles["lift"] = angles["lift"] + FOLLOW * rng.random() * swing
        angles[swings] = angles[swings] + swing
        arms[side] = _waving_arm(rng, **angles)
    return _with_arms(rng, times, body, arms, layout)


def clap(rng: Generator, times: np.ndarray, body: np.ndarray, layout: str = "coco17") -> np.ndarray:
    """As `wave`, but claps."""
    near, far = rng.uniform(*CLAP_NEAR), rng.uniform(*CLAP_FAR)
    rhythm = _rhythm(rng, times, min(rng.uniform(*CLAP_HZ), CLAP_SPEED / far))
    apart = near + far * (1 + rhythm.clip(-1, 1)) / 2  # (n,)
    height = rng.uniform(*(CLAP_ABOVE if rng.random() < CLAP_OVERHEAD else CLAP_BELOW))
    place = np.array([CLAP_ASIDE * rng.normal(), height])
    tilt = np.deg2rad(rng.uniform(-CLAP_TILT_DEG, CLAP_TILT_DEG))
    seen_bend = rng.uniform(*ELBOW_OUT)
    arms = {}
    for side in SIDES:
        shoulder, outwards = _shoulder(body[0], side, layout)
        hand = place + outwards * apart[:, None] / 2 * (np.cos(tilt), np.sin(tilt)) - shoulder  # (n, 2)
        hand[:, 0] *= outwards
        arms[side] = _reaching_arm(hand, seen_bend)
    return _with_arms(rng, times, body, arms, layout)


def gesticulate(rng: Generator, pose: np.ndarray, others: Sequence[np.ndarray], fps: float = FPS,
                layout: str = "coco17"):  # fmt: skip
    """Arms that go from one place to another, as those of people who talk, work or scratch themselves: nothing that has
    a name.

    pose: (V, 3), of the rest of the body. others: poses (V, 3) whose arms are taken, one after another, in the size and
    at the shoulders of `pose`; each is reached within GESTURE_S and kept for up to PAUSE_S.
    """
    joints = get_layout(layout)
    arms = [[joints.index(f"{side}_{joint}") for joint in ARM] for side in SIDES]
    unit, keypoints, now = body_height(pose, layout), [pose[None]], pose
    for other in others:
        target = pose.copy()
        scale = unit / body_height(other, layout)
        for shoulder, *rest in arms:
            if pose[shoulder, 2] > 0 and other[shoulder, 2] > 0:
                target[rest, :2] = pose[shoulder, :2] + (other[rest, :2] - other[shoulder, :2]) * scale
                target[rest, 2] = other[rest, 2]
        keypoints.append(move(now, target, rng.uniform(*GESTURE_S), fps)[1])
        _, held = hold(rng, target, rng.uniform(0, PAUSE_S), fps, layout)
        keypoints.append(held)
        now = held[-1]
    moved = np.concatenate(keypoints).astype(np.float32)
    return np.arange(len(moved)) / fps, moved


def _rhythm(rng: Generator, times: np.ndarray, hz: float) -> np.ndarray:
    """(n,): a sine of about 1, as unsteady as people are."""
    shape, fps = times.shape, frame_rate(times)
    rate = hz * (1 + UNSTEADY_HZ * wander(rng, shape, UNSTEADY_MEMORY_S, fps))
    phase = 2 * np.pi * (rng.random() + np.cumsum(rate * np.diff(times, prepend=times[0])))
    return np.sin(phase) * (1 + UNSTEADY * wander(rng, shape, UNSTEADY_MEMORY_S, fps))


def _waving_arm(rng: Generator, lift, ahead, lean, nod) -> tuple[np.ndarray, np.ndarray]:
    """Elbow and wrist, (n, 2) each: outwards and down from the shoulder, in body heights. Radians, see WAVES."""
    upper, fore = UPPER_ARM * rng.uniform(*BUILD), FOREARM * rng.uniform(*BUILD)
    elbow = upper * np.stack(np.broadcast_arrays(np.sin(lift) * np.cos(ahead), np.cos(lift)), axis=-1)
    wrist = fore * np.stack(np.broadcast_arrays(np.sin(lean) * np.cos(nod), -np.cos(lean) * np.cos(nod)), axis=-1)
    return np.broadcast_arrays(elbow, elbow + wrist)


def _reaching_arm(hand: np.ndarray, seen_bend: float) -> tuple[np.ndarray, np.ndarray]:
    """Elbow and wrist, (n, 2) each, of an arm that reaches for `hand` as far as it can; it bends outwards and down."""
    distance = np.linalg.norm(hand, axis=-1, keepdims=True).clip(1e-6)  # (n, 1)
    reach = distance.clip(abs(UPPER_ARM - FOREARM), UPPER_ARM + FOREARM)
    ahead = hand / distance  # (n, 2)
    along = (UPPER_ARM**2 - FOREARM**2 + reach**2) / (2 * reach)
    beside = np.sqrt((UPPER_ARM**2 - along**2).clip(0)) * seen_bend
    across = ahead[:, ::-1] * (1, -1)  # (n, 2)
    across = across * np.where(across.sum(axis=-1, keepdims=True) < 0, -1, 1)
    return along * ahead + beside * across, reach * ahead


def _shoulder(pose: np.ndarray, side: str, layout: str) -> tuple[np.ndarray, float]:
    """(2,), from the middle of both shoulders, in body heights; and the direction of outwards on that side, 1 or -1."""
    joints = get_layout(layout)
    own, other = (pose[joints.index(f"{name}_shoulder"), :2] for name in (side, SIDES[1 - SIDES.index(side)]))
    return (own - other) / 2 / body_height(pose, layout), 1.0 if own[0] >= other[0] else -1.0


def _with_arms(rng: Generator, times: np.ndarray, body: np.ndarray, arms: Mapping[str, tuple[np.ndarray, np.ndarray]],
               layout: str) -> np.ndarray:  # fmt: skip
    """`body` (n, V, 3) with each side's elbow and wrist, (n, 2) each, of which a detector is more or less sure."""
    joints, unit = get_layout(layout), body_height(body[0], layout)
    moved, placed = np.array(body, np.float32), []
    for side, places in arms.items():
        shoulder = body[:, joints.index(f"{side}_shoulder")]  # (n, 3)
        _, outwards = _shoulder(body[0], side, layout)
        for joint, place in zip(ARM[1:], places):
            placed.append(joints.index(f"{side}_{joint}"))
            there = shoulder[:, :2] + unit * place * (outwards, 1)
            arm = np.column_stack([there, np.full(len(body), rng.uniform(*SURE))])
            moved[:, placed[-1]] = np.where(shoulder[:, 2:] > 0, arm, 0)
    moved[:, placed] = tremble(rng, moved, frame_rate(times), layout)[:, placed]
    return moved
