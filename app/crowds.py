"""Made-up people of whom it is known who is who, seen as a pose estimator sees them: what a tracker is measured on.

Lengths are in metres, speeds in metres a second; x to the right.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from app.pose.base import Pose
from stgcn.body import standing
from stgcn.graph import COCO17

PIXELS_PER_M, MIDDLE_PX, GROUND_PX, HORIZON_PX = 200, 600, 480, 100
CONFIDENCE, SCORE = (0.5, 0.95), (0.4, 0.8)
HIDDEN_CONFIDENCE = (0.0, 0.08)  # of legs behind a desk
MARGIN_M = 0.06  # of a box around the joints
DOUBLE_SPREAD_M = 0.03, 0.04  # of the joints and the box of somebody who is found twice
LEGS = [i for i, joint in enumerate(COCO17.joints) if joint.endswith(("knee", "ankle"))]
HEIGHT_M = 1.72  # of an adult
SIDEWAYS = 0.45  # how wide somebody looks from the side


@dataclass(frozen=True)
class Person:
    """place: metres from the middle, by seconds. size: of the picture of an adult, and the greater, the nearer.
    does: a name in MOVEMENTS. sideways: seen from the side."""

    place: Callable[[float], float]
    size: float = 1.0
    does: str = "stand"
    sideways: bool = False


@dataclass(frozen=True)
class Scene:
    """Who is there, and how badly they are seen.

    noise: standard deviation of joints and boxes. jitter: of frames, as a share of the interval. missed, doubled:
    probabilities that somebody is not found, or twice. false_per_s: poses of nobody. hides_above: overlap of two boxes
    (IoU) above which the farther person is not found. absences: (person, from s, to s) of people who are not found.
    desk: hides legs.
    """

    people: tuple[Person, ...]
    duration_s: float
    noise: float = 0.02
    jitter: float = 0.15
    missed: float = 0.0
    doubled: float = 0.0
    false_per_s: float = 0.0
    hides_above: float = 1.0
    absences: tuple[tuple[int, float, float], ...] = ()
    desk: bool = False


@dataclass(frozen=True)
class Seen:
    """A pose, and the index of the person whose it is; None: of nobody."""

    person: int | None
    pose: Pose
    first: bool = True  # of the person in this frame; not the double


def scenes(rng: Generator) -> dict[str, Scene]:
    """Twelve by name: crossing, overtaking, meeting, gaps, noise, and much movement in place; speeds drawn anew."""
    fast, faster, away_s = rng.uniform(1, 1.6), rng.uniform(1, 1.6), rng.uniform(1.3, 1.7)
    crossing = walker(-2, fast), walker(2, -faster, 0.92)
    level = walker(-2, fast), walker(2, -faster, 0.999)
    row = tuple(Person(_line(-0.9 + 0.75 * i, 0.3), 1 - 0.03 * i, "walk") for i in range(3))
    exercising = Person(_line(-1.1), 1, "jack"), Person(_line(0), 0.95, "jack"), Person(_line(1.1), 1, "squat")
    return {
        "cross, both seen": Scene(crossing, 3.2),
        "cross, the farther hidden": Scene(crossing, 3.2, hides_above=0.15),
        "cross, equally near": Scene(level, 3.2, hides_above=0.3),
        "overtake, the farther hidden": Scene((walker(-2, 0.8), walker(-3.2, 1.5, 0.9)), 4, hides_above=0.3),
        "three cross": Scene((walker(-2, fast), walker(2, -faster, 0.9), Person(_line(-0.3, 0.2), 0.8, "walk")), 3.2,
                             hides_above=0.25),
        "meet and turn back": Scene((Person(_there_and_back(-1.9, 1.2), 1, "walk", True),
                                     Person(_there_and_back(1.9, -1.2), 0.9, "walk", True)), 2.8),
        "half a second missed, alone": Scene((walker(-2, 1.4),), 3, absences=((0, away_s, away_s + 0.5),)),
        "half a second missed, three in a row": Scene(
            row, 4, absences=((0, 1, 1.5), (1, 1.2, 1.7), (1, 2.6, 3.1), (2, 2.4, 2.9))),
        "noisy, with doubles and nobodies": Scene(
            (walker(-2, 0.9), walker(2, -0.9, 0.9), Person(_line(0.2), 0.7)), 4,
            noise=0.03, jitter=0.3, missed=0.1, doubled=0.15, false_per_s=1.5),
        "two wave at a desk": Scene((Person(_line(-0.35), 1.6, "wave"), Person(_line(0.5), 1.5, "wave")), 4,
                                    noise=0.025, missed=0.05, desk=True),
        "three exercise": Scene(exercising, 5, noise=0.025, missed=0.05),
        "one runs past": Scene((walker(-3, 4), Person(_line(0), 0.95)), 1.6, hides_above=0.35),
    }  # fmt: skip


def walker(start_m: float, speed: float, size: float = 1.0) -> Person:
    """Somebody who walks straight through the picture."""
    return Person(_line(start_m, speed), size, "walk", sideways=True)


def filmed(scene: Scene, fps: float, rng: Generator) -> list[tuple[float, list[Seen]]]:
    """What is seen of a scene: (seconds, poses in any order) of each frame."""
    n = int(scene.duration_s * fps)
    times = (np.arange(n) + np.append(0, rng.uniform(-scene.jitter, scene.jitter, n - 1))) / fps
    phases = rng.uniform(0, 2 * np.pi, len(scene.people))
    return [(float(time_s), _frame(scene, time_s, phases, 1 / fps, rng)) for time_s in times]


def _frame(scene: Scene, time_s: float, phases: np.ndarray, interval_s: float, rng: Generator) -> list[Seen]:
    there = [Seen(i, _seen(person, scene, time_s, phase, rng))
             for i, (person, phase) in enumerate(zip(scene.people, phases))]  # fmt: skip
    away = {person for person, start_s, end_s in scene.absences if start_s <= time_s < end_s}
    frame = []
    for one in there:
        nearer = (other for other in there if scene.people[other.person].size > scene.people[one.person].size)
        hidden = any(_overlap(one.pose.box, other.pose.box) > scene.hides_above for other in nearer)
        if hidden or one.person in away or rng.random() < scene.missed:
            continue
        frame.append(one)
        if rng.random() < scene.doubled:
            frame.append(Seen(one.person, _double(one.pose, rng), first=False))
    if rng.random() < scene.false_per_s * interval_s:
        frame.append(Seen(None, _nobody(rng)))
    rng.shuffle(frame)
    return frame


def _seen(person: Person, scene: Scene, time_s: float, phase: float, rng: Generator) -> Pose:
    joints = _standing() if person.does == "stand" else MOVEMENTS[person.does](time_s, phase)  # (V, 2)
    joints[:, 0] = joints[:, 0] * (SIDEWAYS if person.sideways else 1) + person.place(time_s) / person.size
    joints = joints * person.size * PIXELS_PER_M + (MIDDLE_PX, GROUND_PX - HORIZON_PX * (1 - person.size))
    spread = scene.noise * person.size * PIXELS_PER_M
    joints += rng.normal(0, spread, joints.shape)
    confidence = rng.uniform(*CONFIDENCE, len(joints))
    if scene.desk:
        confidence[LEGS] = rng.uniform(*HIDDEN_CONFIDENCE, len(LEGS))
    boxed = np.delete(joints, LEGS, axis=0) if scene.desk else joints
    return _pose(joints, confidence, _box(boxed, MARGIN_M * person.size) + rng.normal(0, spread, 4),
                 rng.uniform(*SCORE))  # fmt: skip


def _double(pose: Pose, rng: Generator) -> Pose:
    of_joints, of_box = np.multiply(DOUBLE_SPREAD_M, PIXELS_PER_M)
    joints = pose.keypoints[:, :2] + rng.normal(0, of_joints, (len(pose.keypoints), 2))
    return _pose(joints, pose.keypoints[:, 2], pose.box + rng.normal(0, of_box, 4), 0.8 * pose.score)


def _nobody(rng: Generator) -> Pose:
    joints = _standing() * rng.uniform(0.5, 1) * PIXELS_PER_M + (rng.uniform(0, 1200), rng.uniform(250, 600))
    return _pose(joints, rng.uniform(0.2, 0.6, len(joints)), _box(joints, MARGIN_M), rng.uniform(0.25, 0.5))


def _pose(joints: np.ndarray, confidence: np.ndarray, box: np.ndarray, score: float) -> Pose:
    return Pose(np.column_stack([joints, confidence]).astype(np.float32), box.astype(np.float32), float(score))


def _box(joints: np.ndarray, margin_m: float) -> np.ndarray:
    """(4,) pixels around joints (V', 2)."""
    margin = margin_m * PIXELS_PER_M
    return np.concatenate([joints.min(axis=0) - margin, joints.max(axis=0) + margin])


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """IoU of two boxes (4,)."""
    width, height = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    both = max(width, 0) * max(height, 0)
    return both / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - both)


def _line(start_m: float, speed: float = 0.0) -> Callable[[float], float]:
    return lambda time_s: start_m + speed * time_s


def _there_and_back(start_m: float, speed: float, turn_s: float = 1.3) -> Callable[[float], float]:
    return lambda time_s: start_m + speed * (turn_s - abs(time_s - turn_s))


def _standing() -> np.ndarray:
    """(V, 2) metres, the ground at 0."""
    return standing()[:, :2] - (0, HEIGHT_M)


def _walking(time_s: float, phase: float) -> np.ndarray:
    joints, swing = _standing(), np.sin(2 * np.pi * 0.9 * time_s + phase)
    for part, reach in {"knee": 0.12, "ankle": 0.28, "elbow": -0.1, "wrist": -0.25}.items():
        for side, sign in (("left", 1), ("right", -1)):
            joints[COCO17.index(f"{side}_{part}"), 0] += sign * reach * swing
    return joints


def _jumping_jack(time_s: float, phase: float) -> np.ndarray:
    joints, apart = _standing(), (1 - np.cos(2 * np.pi * time_s + phase)) / 2
    angle = 0.9 * np.pi * apart  # of the arms, from hanging down
    for side, sign in (("left", 1), ("right", -1)):
        shoulder = joints[COCO17.index(f"{side}_shoulder")]
        for part, length in {"elbow": 0.28, "wrist": 0.54}.items():
            joints[COCO17.index(f"{side}_{part}")] = shoulder + length * np.array([sign * np.sin(angle), np.cos(angle)])
        for part, reach in {"knee": 0.15, "ankle": 0.3}.items():
            joints[COCO17.index(f"{side}_{part}"), 0] += sign * reach * apart
    joints[:, 1] -= 0.15 * np.sin(np.pi * apart)
    return joints


def _squatting(time_s: float, phase: float) -> np.ndarray:
    joints, down = _standing(), (1 - np.cos(2 * np.pi * 0.6 * time_s + phase)) / 2
    for i, joint in enumerate(COCO17.joints):
        joints[i, 1] += down * (0 if joint.endswith("ankle") else 0.12 if joint.endswith("knee") else 0.5)
    return joints


def _waving(time_s: float, phase: float) -> np.ndarray:
    joints, swing = _standing(), np.sin(2 * np.pi * 2 * time_s + phase)
    elbow = joints[COCO17.index("right_shoulder")] + (-0.15, -0.22)
    joints[COCO17.index("right_elbow")] = elbow
    joints[COCO17.index("right_wrist")] = elbow + (0.22 * swing, -0.25)
    return joints


MOVEMENTS = {"walk": _walking, "jack": _jumping_jack, "squat": _squatting, "wave": _waving}
