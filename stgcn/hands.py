"""What the hands of made-up people do (`stgcn.puppets`), standing or sitting: wave, clap, or something without a name.

Key poses, in degrees and body heights, and seconds, as in `stgcn.choreography`. Which hand is left to
`stgcn.augment.mirror`.
"""

import numpy as np
from numpy.random import Generator

from stgcn.body import LIMB_LENGTHS
from stgcn.puppets import KeyPose, Keys, direction

UPPER_ARM, FOREARM = LIMB_LENGTHS["left_shoulder", "left_elbow"], LIMB_LENGTHS["left_elbow", "left_wrist"]
SHOULDER = LIMB_LENGTHS["left_shoulder", "right_shoulder"] / 2  # from the middle


def wave(rng: Generator, pose: KeyPose) -> Keys:
    """With one hand or both: the forearm swings, or the whole arm overhead."""
    waving = "arms" if rng.random() < 0.1 else "left_arm"
    if rng.random() < 0.15:  # the whole arm, overhead
        middle, swing, nod = rng.uniform(-5, 30), rng.uniform(8, 30), rng.uniform(0, 20)
        bones = [(_upright(lean, nod), _upright(lean * rng.uniform(0.9, 1.1), nod))
                 for lean in (middle + swing, middle - swing)]  # fmt: skip
    else:
        upper_arm = rng.uniform(15, 150), rng.uniform(-10, 80)
        middle, swing, nod = rng.uniform(-15, 25), rng.uniform(10, 45), rng.uniform(0, 40)
        bones = [(upper_arm, _upright(middle + side * swing, nod)) for side in (1, -1)]
    return _to_and_fro(rng, pose, *(pose.but(**{waving: arm}) for arm in bones), (0.15, 0.45), (2, 6))


def clap(rng: Generator, pose: KeyPose) -> Keys:
    """In front of the body, seldom overhead; the wider, the slower."""
    upper_arm = rng.uniform(5, 55), rng.uniform(75, 115)
    level = rng.uniform(-60, 60)  # degrees: whether the forearms point ahead, or up, or down
    if rng.random() < 0.1:  # overhead
        upper_arm, level = (rng.uniform(150, 172), rng.uniform(20, 80)), rng.uniform(50, 90)
    near, far = rng.uniform(0, 0.02), rng.uniform(0.06, 0.25)
    together, apart = (pose.but(arms=(upper_arm, _meeting(upper_arm, width, level))) for width in (near, far))
    half_s = rng.uniform(0.1, 0.2) + 0.5 * far
    return _to_and_fro(rng, pose, apart, together, (half_s * 0.8, half_s * 1.2), (3, 9))


def busy(rng: Generator, pose: KeyPose) -> Keys:
    """A hand goes to and fro and waves at nobody: it scratches, wipes, stirs, types, brushes teeth or hair."""
    if rng.random() < 0.5:  # at the head
        upper_arm, swing = (rng.uniform(30, 120), rng.uniform(20, 100)), rng.uniform(3, 15)
        lift, ahead = _towards_the_head(rng, upper_arm)
    else:
        upper_arm, swing = (rng.uniform(0, 60), rng.uniform(-20, 100)), rng.uniform(4, 30)
        lift, ahead = rng.uniform(20, 105), rng.uniform(30, 160)
    aside, up = swing * rng.normal(size=2) / np.sqrt(2)
    one, other = (pose.but(left_arm=(upper_arm, (lift + side * up, ahead + side * aside))) for side in (1, -1))
    if rng.random() < 0.3:  # with the other one beside it
        one, other = (moved.but(right_arm=moved.limbs["left_arm"]) for moved in (one, other))
    return _to_and_fro(rng, pose, one, other, (0.08, 0.4), (2, 8))


def gesture(rng: Generator, pose: KeyPose) -> Keys:
    """Arms that go from place to place."""
    moved = [pose.but(left_arm=_anywhere(rng), right_arm=_anywhere(rng)) for _ in range(rng.integers(2, 6))]
    return [(0, pose), *((rng.uniform(0.2, 0.8), pose) for pose in moved)]


def _meeting(upper_arm: tuple[float, float], width: float, level: float) -> tuple[float, float]:
    """Of a forearm whose hand is `width` body heights away from the other one, as far as it reaches."""
    outwards = np.clip((width / 2 - _elbow(upper_arm)[0]) / FOREARM, -0.98, 0.98)
    rest, level = np.sqrt(1 - outwards**2), np.deg2rad(level)
    return _pointing(outwards, rest * np.sin(level), rest * np.cos(level))


def _towards_the_head(rng: Generator, upper_arm: tuple[float, float]) -> tuple[float, float]:
    """Of a forearm whose hand touches the head, or would if it were long enough."""
    place = rng.uniform((-0.02, 0.08, 0), (0.08, 0.25, 0.1))
    reach = place - _elbow(upper_arm)
    return _pointing(*(reach / np.linalg.norm(reach)))


def _elbow(upper_arm: tuple[float, float]) -> np.ndarray:
    """(3,): outwards, up and ahead of the shoulders' middle, in body heights."""
    return (SHOULDER, 0, 0) + UPPER_ARM * np.multiply(direction(*upper_arm, side=1), (1, -1, -1))


def _to_and_fro(rng: Generator, rest: KeyPose, one: KeyPose, other: KeyPose, half_s, times) -> Keys:
    """From rest to one pose, then between both."""
    seconds = rng.uniform(*half_s)
    return [(0, rest), (rng.uniform(0.25, 0.5), one), *[(seconds, other), (seconds, one)] * int(rng.integers(*times))]


def _upright(lean: float, nod: float) -> tuple[float, float]:
    """(lift, ahead) of a bone that points up, but for leaning outwards and nodding ahead."""
    lean, nod = np.deg2rad([lean, nod])
    return _pointing(np.sin(lean) * np.cos(nod), np.cos(lean) * np.cos(nod), np.sin(nod))


def _pointing(outwards: float, up: float, ahead: float) -> tuple[float, float]:
    """(lift, ahead) of a bone, of the parts of a unit vector."""
    return 180 - np.rad2deg(np.arccos(up)), np.rad2deg(np.arctan2(ahead, outwards))


def _anywhere(rng: Generator):
    """An arm that points anywhere it can."""
    return (rng.uniform(0, 120), rng.uniform(-30, 110)), (rng.uniform(10, 170), rng.uniform(0, 170))
