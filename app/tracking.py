"""Who is who from frame to frame: poses in, the same poses with stable ids out.

People are told apart by where each of their joints is expected now, and whoever comes back after an absence by
build, pose and place; never by colours. Everything is reckoned in seconds, so a camera at 10 fps and one at 60 fps
give the same identities. What libraries offer instead, and how they fared, is in docs/tracking.md.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from app.pose.base import Pose

# Distances are in body sizes: the square root of a box's area, about one metre on a standing adult.
JOINT_SPREAD = 0.2  # how far a joint lies from where it is expected
JOINT_SPREAD_PER_S = 0.5  # what each second without a look at the person adds to that
UNKNOWN_PACE_PER_S = 2.0  # and what it adds at first sight, when nobody knows yet where the person is heading
DUPLICATE_SPREAD = 0.1  # how far a joint lies from itself in two poses of one person in one frame

# Similarities are 0 (nothing in common) to 1 (every joint where it is expected).
MIN_SIMILARITY = 0.25  # a pose less like a track than this is somebody else
DUPLICATE_SIMILARITY = 0.7  # two poses of one frame more alike than this are one person
ABSENCE_PENALTY_PER_S = 0.5  # lost by a second out of view: a pose belongs rather to who was just seen

# Whoever comes back may do so elsewhere than expected, but is about as large as before and holds themselves alike.
RETURN_POSE_SPREAD = 0.25  # how far a joint lies from itself, seen from the middle of the body
RETURN_GROWTH_SPREAD = 0.25  # how much larger or smaller the body is, as a natural logarithm
RETURN_PLACE_SPREAD = 0.3  # how far the middle of the body lies from where it vanished or is expected
RETURN_PLACE_SPREAD_PER_S = 0.6  # what each second adds to that
MIN_RETURN_LIKENESS = 0.25  # of pose, size and place together; below, a newcomer is somebody new

VELOCITY_MEMORY_S = 0.4  # a velocity is an average over about this long
COAST_S = 1.0  # out of view, a person is taken to slow down within about this long
TENTATIVE_MEMORY_S = 0.08  # a newcomer missed for longer is forgotten: a false detection


@dataclass(frozen=True)
class Track:
    """A person in view at time_s (seconds). `id` counts from 1; no two people of a run share one."""

    id: int
    pose: Pose
    time_s: float


class Tracker:
    """Gives each person an id that outlives missed detections and people who cross. Deterministic.

    memory_s: seconds for which somebody out of view is remembered. The default bridges two seconds, and what
        it takes to be detected again at the edge of the picture. Longer bridges longer absences, but whoever
        of like build then appears where the other left may inherit the id.
    confirm_s: seconds for which a newcomer must be seen, twice at least, before an id is given. Longer keeps
        out more false detections; labels come later by as much. Whoever is in the very first frame gets an
        id at once, so that short clips are labelled from their beginning.
    Raises ValueError where memory_s is not positive, confirm_s is negative, or one of them is not finite.
    """

    def __init__(self, memory_s: float = 2.5, confirm_s: float = 0.08) -> None:
        if not (math.isfinite(memory_s) and memory_s > 0):
            raise ValueError(f"memory_s is a positive number of seconds, not {memory_s}")
        if not (math.isfinite(confirm_s) and confirm_s >= 0):
            raise ValueError(f"confirm_s is zero or a positive number of seconds, not {confirm_s}")
        self.memory_s = memory_s
        self.confirm_s = confirm_s
        self._people: list[_Person] = []
        self._ids = itertools.count(1)
        self._time_s: float | None = None  # of the latest frame; None before the first

    def update(self, poses: list[Pose], time_s: float) -> list[Track]:
        """The people of one frame, by ascending id; each holds one of `poses`, as given.

        poses: in any order. Left out of the result are duplicates, newcomers not yet confirmed, and poses
            without any joint of a confidence above 0.
        time_s: capture time in seconds; never earlier than that of the frame before.
        Raises ValueError where time_s is not finite or goes back, and where a pose holds numbers that are not
        finite, has other shapes than `Pose` says, or other joints than the rest.
        """
        self._check(poses, time_s)
        is_first_frame = self._time_s is None
        self._time_s = time_s
        self._people = [person for person in self._people if time_s - person.seen_s <= self.memory_s]

        poses = _without_duplicates([pose for pose in poses if pose.keypoints[:, 2].any()])
        matches = self._match(poses)
        seen, confirmed = [], []
        for index, pose in enumerate(poses):
            person = matches.get(index)
            if person is not None:
                person.observe(pose, time_s)
                is_confirmed = time_s - person.first_s >= self.confirm_s
            else:
                person = _Person(pose, time_s)
                self._people.append(person)
                is_confirmed = is_first_frame
            if person.id is None and is_confirmed:
                confirmed.append(person)
            seen.append(person)
        self._name(confirmed)
        self._people = [p for p in self._people if p.id or time_s - p.seen_s <= TENTATIVE_MEMORY_S]
        tracks = [Track(person.id, person.pose, time_s) for person in seen if person.id is not None]
        return sorted(tracks, key=lambda track: track.id)

    def _check(self, poses: list[Pose], time_s: float) -> None:
        if not math.isfinite(time_s):
            raise ValueError(f"time_s is a finite number of seconds, not {time_s}")
        if self._time_s is not None and time_s < self._time_s:
            raise ValueError(
                f"time goes back from {self._time_s} s to {time_s} s: "
                "give frames in order, and each video its own Tracker"
            )
        known = [person.pose for person in self._people[:1]] + poses
        for pose in poses:
            if pose.keypoints.ndim != 2 or pose.keypoints.shape[1] != 3 or pose.box.shape != (4,):
                shapes = f"{pose.keypoints.shape} and {pose.box.shape}"
                raise ValueError(f"a pose has keypoints (V, 3) and a box (4,), not {shapes}")
            count, usual = len(pose.keypoints), len(known[0].keypoints)
            if count != usual:
                raise ValueError(f"a pose of {count} joints among poses of {usual}")
            if not all(np.isfinite(part).all() for part in (pose.keypoints, pose.box, pose.score)):
                raise ValueError("a pose holds numbers that are not finite")

    def _match(self, poses: list[Pose]) -> dict[int, "_Person"]:
        """Index of a pose -> the person it shows; a pose of somebody new has no entry."""
        if not poses or not self._people:
            return {}
        absent_s = np.array([self._time_s - person.seen_s for person in self._people])  # (P,)
        expected = np.stack([person.expected(self._time_s) for person in self._people])  # (P, V, 3)
        spread = np.array([person.spread(self._time_s) for person in self._people])  # (P,) body sizes
        sizes = np.outer([body_size(person.pose) for person in self._people], [body_size(pose) for pose in poses])
        similarity = _similarity(expected, _joints(poses), spread[:, None] * np.sqrt(sizes))  # (P, N)

        merit = similarity - ABSENCE_PENALTY_PER_S * absent_s[:, None]
        # A match below the threshold is worth nothing, so that it never displaces one above.
        merit[(similarity < MIN_SIMILARITY) | (merit < 0)] = 0
        pairs = zip(*linear_sum_assignment(merit, maximize=True), strict=True)
        return {int(pose): self._people[person] for person, pose in pairs if merit[person, pose] > 0}

    def _name(self, confirmed: list["_Person"]) -> None:
        """Give ids: their old one to those who came back, replacing who was remembered; to the others a new one."""
        absent = [person for person in self._people if person.id and person.seen_s < self._time_s]
        likeness = np.zeros((len(absent), len(confirmed)))
        for row, column in np.ndindex(likeness.shape):
            likeness[row, column] = _return_likeness(absent[row], confirmed[column])
        likeness[likeness < MIN_RETURN_LIKENESS] = 0
        for row, column in zip(*linear_sum_assignment(likeness, maximize=True), strict=True):
            if likeness[row, column] > 0:
                confirmed[column].id = absent[row].id
                self._people.remove(absent[row])
        for person in confirmed:
            if person.id is None:
                person.id = next(self._ids)


class _Person:
    """What the tracker remembers of one person. `id` is None until the person is confirmed."""

    def __init__(self, pose: Pose, time_s: float) -> None:
        self.id: int | None = None
        self.pose = pose
        self.first_s = time_s
        self.seen_s = time_s
        self.velocity = np.zeros(2)  # x, y in pixels per second

    def observe(self, pose: Pose, time_s: float) -> None:
        elapsed_s = time_s - self.seen_s
        if elapsed_s > 0:
            before, now = _joints([self.pose, pose])
            weight = before[:, 2] * now[:, 2]  # (V,)
            moved = weight @ (now - before)[:, :2] / weight.sum()
            # The plain average at first, and a running one when more than VELOCITY_MEMORY_S is known.
            share = max(elapsed_s / (time_s - self.first_s), -math.expm1(-elapsed_s / VELOCITY_MEMORY_S))
            self.velocity += share * (moved / elapsed_s - self.velocity)
        self.pose, self.seen_s = pose, time_s

    def expected(self, time_s: float) -> np.ndarray:
        """(V, 3) keypoints expected at time_s: the latest pose, carried on at a pace that dies away."""
        coasted_s = -math.expm1(-(time_s - self.seen_s) / COAST_S) * COAST_S
        joints = self.pose.keypoints.astype(np.float64)
        joints[:, :2] += self.velocity * coasted_s
        return joints

    def spread(self, time_s: float) -> float:
        """Body sizes by which joints may lie beside `expected` at time_s."""
        ignorance = math.exp(-(self.seen_s - self.first_s) / VELOCITY_MEMORY_S)
        per_s = JOINT_SPREAD_PER_S + UNKNOWN_PACE_PER_S * ignorance
        return math.hypot(JOINT_SPREAD, per_s * (time_s - self.seen_s))


def _without_duplicates(poses: list[Pose]) -> list[Pose]:
    """One pose a person, the surest first: an order that does not hang on the order given."""
    kept: list[Pose] = []
    for pose in sorted(poses, key=lambda pose: (-pose.score, *pose.box)):
        if kept:
            sizes = np.outer([body_size(other) for other in kept], [body_size(pose)])
            similarity = _similarity(_joints(kept), _joints([pose]), DUPLICATE_SPREAD * np.sqrt(sizes))
            if similarity.max() > DUPLICATE_SIMILARITY:
                continue
        kept.append(pose)
    return kept


def _similarity(expected: np.ndarray, observed: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """(P, V, 3) and (N, V, 3) keypoints, (P, N) spread in pixels -> (P, N) similarity in 0..1.

    Object keypoint similarity as in COCO's evaluation, but weighted by how surely both poses know a joint:
    hidden legs neither help nor harm. 0 where no joint is known in both.
    """
    weight = expected[:, None, :, 2] * observed[None, :, :, 2]  # (P, N, V)
    offset = expected[:, None, :, :2] - observed[None, :, :, :2]  # (P, N, V, 2)
    nearness = np.exp(-np.square(offset).sum(-1) / (2 * np.square(spread)[..., None]))  # (P, N, V)
    return (weight * nearness).sum(-1) / np.maximum(weight.sum(-1), np.finfo(np.float64).tiny)


def _return_likeness(old: _Person, new: _Person) -> float:
    """0..1: how much `new` is like `old` come back: in pose, in size, and in place for the time that went by.

    0 where `old` was seen after `new` came, or no joint is known in both.
    """
    before, now = _joints([old.pose, new.pose])
    weight = before[:, 2] * now[:, 2]  # (V,)
    if old.seen_s >= new.first_s or not weight.any():
        return 0.0
    size = math.sqrt(body_size(old.pose) * body_size(new.pose))
    moved = weight @ (now - before)[:, :2] / weight.sum()
    coasted = old.expected(new.seen_s)[0, :2] - before[0, :2]
    # Hidden, a person walks on; out of the picture, a person turns round and comes back where they left.
    distance = min(np.linalg.norm(moved), np.linalg.norm(moved - coasted)) / size
    reach = math.hypot(RETURN_PLACE_SPREAD, RETURN_PLACE_SPREAD_PER_S * (new.seen_s - old.seen_s))
    now[:, :2] -= moved
    alike = _similarity(before[None], now[None], np.full((1, 1), RETURN_POSE_SPREAD * size)).item()
    growth = math.log(_extent(now, weight) / _extent(before, weight))
    return alike * math.exp(-((growth / RETURN_GROWTH_SPREAD) ** 2 + (distance / reach) ** 2) / 2)


def _extent(joints: np.ndarray, weight: np.ndarray) -> float:
    """How far joints (V, 3) lie from their middle, by weight (V,), in pixels, at least one."""
    middle = weight @ joints[:, :2] / weight.sum()
    return max(math.sqrt(weight @ np.square(joints[:, :2] - middle).sum(-1) / weight.sum()), 1.0)


def _joints(poses: list[Pose]) -> np.ndarray:
    """(N, V, 3) float64"""
    return np.stack([pose.keypoints for pose in poses]).astype(np.float64)


def body_size(pose: Pose) -> float:
    """Body size in pixels, at least one."""
    x1, y1, x2, y2 = pose.box.tolist()
    return math.sqrt(max(x2 - x1, 1.0) * max(y2 - y1, 1.0))
